#include "mask2former/data/palette_png.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <string>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/testing/palette_file.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

const cv::Mat& Indices() {
  static const auto& indices =
      *new cv::Mat((cv::Mat_<uint8_t>(2, 5) << 0, 1, 2, 3, 0,  //
                    3, 2, 1, 0, 1));
  return indices;
}

TEST(DecodePaletteIndicesTest, GivesTheNumbersAtAnyDepth) {
  for (const int bits : {2, 4, 8}) {
    const auto decoded =
        DecodePaletteIndices(PalettePng(Indices(), bits), "a.png");
    ASSERT_THAT(decoded, IsOk()) << bits;
    ASSERT_EQ(decoded->type(), CV_8UC1);
    EXPECT_EQ(cv::norm(*decoded, Indices(), cv::NORM_INF), 0) << bits;
  }
}

TEST(DecodePaletteColorsTest, LooksColoursUp) {
  const auto decoded = DecodePaletteColors(PalettePng(Indices(), 8), "a.png");
  ASSERT_THAT(decoded, IsOk());
  // PalettePng() gives number i the colour (10 i, 20 i, 30 i).
  EXPECT_EQ(decoded->at<cv::Vec3b>(0, 3), cv::Vec3b(30, 60, 90));
  EXPECT_EQ(decoded->at<cv::Vec3b>(1, 3), cv::Vec3b(0, 0, 0));
}

TEST(DecodePaletteIndicesTest, RefusesOtherAndDamagedFiles) {
  const std::string rgb = EncodePng(cv::Mat(2, 2, CV_8UC3)).value();
  EXPECT_THAT(DecodePaletteIndices(rgb, "a.png"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("a.png is 8-bit RGB, not palette")));
  const std::string whole = PalettePng(Indices(), 8);
  EXPECT_THAT(DecodePaletteIndices(whole.substr(0, whole.size() / 2), "a.png"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("a.png")));
}

}  // namespace
}  // namespace mask2former
