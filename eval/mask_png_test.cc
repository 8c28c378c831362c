#include "mask2former/eval/mask_png.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/image_io.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class MaskPngTest : public testing::Test {
 protected:
  absl::StatusOr<cv::Mat> WriteAndRead(const cv::Mat& image) {
    EXPECT_THAT(WritePngAtomically(path_, image), IsOk());
    return ReadMaskPng(path_);
  }

  const std::string path_ =
      absl::StrCat(testing::TempDir(), "/mask_", getpid(), ".png");
};

TEST_F(MaskPngTest, ReadsGray) {
  const cv::Mat gray = (cv::Mat_<uint8_t>(2, 3) << 0, 1, 255, 2, 0, 0);
  const auto mask = WriteAndRead(gray);
  ASSERT_THAT(mask, IsOk());
  EXPECT_EQ(cv::norm(*mask, gray, cv::NORM_INF), 0);
}

TEST_F(MaskPngTest, ReadsSixteenBits) {
  const cv::Mat gray = (cv::Mat_<uint16_t>(1, 3) << 0, 1, 256);
  const auto mask = WriteAndRead(gray);
  ASSERT_THAT(mask, IsOk());
  ASSERT_EQ(mask->type(), CV_8UC1);
  EXPECT_EQ(mask->at<uint8_t>(0, 0), 0);
  EXPECT_NE(mask->at<uint8_t>(0, 1), 0);
  EXPECT_NE(mask->at<uint8_t>(0, 2), 0);
}

TEST_F(MaskPngTest, ReadsColoursByLuminance) {
  // R, G, B. Pillow's convert("L") gives 0, 255, 76, 1, 0 and 0.
  const cv::Mat rgb =
      (cv::Mat_<cv::Vec3b>(1, 6) << cv::Vec3b(0, 0, 0),
       cv::Vec3b(255, 255, 255), cv::Vec3b(255, 0, 0), cv::Vec3b(0, 1, 0),
       cv::Vec3b(1, 0, 0), cv::Vec3b(0, 0, 4));
  const auto mask = WriteAndRead(rgb);
  ASSERT_THAT(mask, IsOk());
  const cv::Mat expected = (cv::Mat_<uint8_t>(1, 6) << 0, 255, 76, 1, 0, 0);
  EXPECT_EQ(cv::norm(*mask, expected, cv::NORM_INF), 0) << *mask;
}

TEST_F(MaskPngTest, NamesFilesThatCannotBeRead) {
  EXPECT_THAT(ReadMaskPng(path_ + ".none"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(path_)));
  ASSERT_THAT(WriteFileAtomically(path_, "GIF89a"), IsOk());
  EXPECT_THAT(ReadMaskPng(path_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(path_), HasSubstr("not a PNG"))));
  const auto png = EncodePng(cv::Mat(20, 20, CV_8UC1, cv::Scalar(255)));
  ASSERT_THAT(WriteFileAtomically(path_, png->substr(0, png->size() - 9)),
              IsOk());
  EXPECT_THAT(ReadMaskPng(path_),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(path_), HasSubstr("cut short"))));
}

}  // namespace
}  // namespace mask2former
