#include "mask2former/data/decode_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Encoded(const char* ending, const cv::Mat& image) {
  std::vector<unsigned char> bytes;
  EXPECT_TRUE(cv::imencode(ending, image, bytes));
  return std::string(bytes.begin(), bytes.end());
}

TEST(DecodeImageTest, DecodesWhatOpenCvKnows) {
  const cv::Mat image(2, 3, CV_8UC3, cv::Scalar(10, 20, 30));
  for (const char* ending : {".png", ".bmp"}) {
    const auto decoded =
        DecodeImage(Encoded(ending, image), cv::IMREAD_COLOR, "a");
    ASSERT_THAT(decoded, IsOk());
    EXPECT_EQ(cv::norm(image, *decoded, cv::NORM_INF), 0) << ending;
  }
  const auto gray =
      DecodeImage(Encoded(".png", image), cv::IMREAD_GRAYSCALE, "a");
  ASSERT_THAT(gray, IsOk());
  EXPECT_EQ(gray->type(), CV_8UC1);
}

TEST(DecodeImageTest, NamesWhatItCannotDecode) {
  for (const std::string bytes : {"", "no picture at all"}) {
    EXPECT_THAT(DecodeImage(bytes, cv::IMREAD_COLOR, "some/path"),
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr("some/path"),
                               HasSubstr("cannot be decoded"))));
  }
}

}  // namespace
}  // namespace mask2former
