#include "mask2former/eval/label_png.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/image_io.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Written by Pillow with 2, 4, 16 and 34 colours.
TEST(LabelPngTest, ReadsTheIndicesOfPalettesOfEveryDepth) {
  for (const int bits : {1, 2, 4, 8}) {
    const auto image =
        ReadLabelPng(absl::StrCat("eval/testdata/palette_", bits, "_bits.png"));
    ASSERT_THAT(image, IsOk());
    ASSERT_EQ(image->type(), CV_8UC1);
    ASSERT_EQ(image->size(), cv::Size(7, 5));
    for (int y = 0; y < 5; ++y) {
      for (int x = 0; x < 7; ++x) {
        EXPECT_EQ(image->at<uint8_t>(y, x),
                  (13 * y + x) % std::min(1 << bits, 34))
            << bits << " bits, " << y << ", " << x;
      }
    }
  }
}

TEST(LabelPngTest, ReadsGray) {
  const std::string path = testing::TempDir() + "/label_png_gray.png";
  ASSERT_THAT(WritePngAtomically(path, cv::Mat(3, 4, CV_8UC1, cv::Scalar(33))),
              IsOk());
  const auto image = ReadLabelPng(path);
  ASSERT_THAT(image, IsOk());
  EXPECT_EQ(cv::countNonZero(*image == 33), 12);
}

TEST(LabelPngTest, RejectsPicturesAndDamagedFiles) {
  const std::string path = testing::TempDir() + "/label_png_bad.png";
  ASSERT_THAT(WritePngAtomically(path, cv::Mat(3, 4, CV_8UC3, cv::Scalar())),
              IsOk());
  EXPECT_THAT(ReadLabelPng(path),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("label_png_bad.png is 8-bit RGB"),
                             HasSubstr("write the label map itself"))));
  ASSERT_THAT(WritePngAtomically(path, cv::Mat(3, 4, CV_16UC1, cv::Scalar())),
              IsOk());
  EXPECT_THAT(ReadLabelPng(path), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("is 16-bit gray")));
  std::string palette = *ReadFile("eval/testdata/palette_8_bits.png");
  palette[palette.size() - 20] ^= 1;
  ASSERT_THAT(WriteFileAtomically(path, palette), IsOk());
  EXPECT_THAT(ReadLabelPng(path), StatusIs(absl::StatusCode::kDataLoss,
                                           HasSubstr("label_png_bad.png")));
  ASSERT_THAT(WriteFileAtomically(path, "text"), IsOk());
  EXPECT_THAT(ReadLabelPng(path), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("label_png_bad.png")));
  EXPECT_THAT(
      ReadLabelPng(testing::TempDir() + "/label_png_none.png"),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("label_png_none.png")));
}

}  // namespace
}  // namespace mask2former
