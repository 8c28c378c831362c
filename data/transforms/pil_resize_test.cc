#include "mask2former/data/transforms/pil_resize.h"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <string>

#include "mask2former/data/testing/golden_checksums.h"
#include "mask2former/data/testing/patterns.h"

namespace mask2former {
namespace {

constexpr int kOfficialSizes[] = {512,  614,  716,  819,  921,  1024,
                                  1126, 1228, 1331, 1433, 1536, 1638,
                                  1740, 1843, 1945, 2048};

TEST(PilResizeTest, EqualsPillowAtTheOfficialSizes) {
  const cv::Mat tall = NoisePattern(1024, 16, 1);
  const cv::Mat wide = NoisePattern(16, 2048, 1);
  for (const int size : kOfficialSizes) {
    const std::string name = std::to_string(size);
    EXPECT_EQ(Checksum(PilResizeBilinear(tall, {size, 16})),
              GoldenChecksum("pil rows " + name))
        << size;
    EXPECT_EQ(Checksum(PilResizeBilinear(wide, {16, 2 * size})),
              GoldenChecksum("pil columns " + name))
        << size;
  }
}

TEST(PilResizeTest, EqualsPillowInColour) {
  const cv::Mat image = NoisePattern(64, 96, 3);
  for (const ImageSize& size :
       {ImageSize{37, 53}, ImageSize{64, 64}, ImageSize{20, 90},
        ImageSize{1, 1}, ImageSize{91, 7}, ImageSize{300, 200},
        ImageSize{64, 53}, ImageSize{37, 96}}) {
    const std::string name =
        std::to_string(size.height) + " " + std::to_string(size.width);
    EXPECT_EQ(Checksum(PilResizeBilinear(image, size)),
              GoldenChecksum("pil color " + name))
        << name;
  }
}

TEST(PilResizeTest, ARegionEqualsTheCropOfTheWhole) {
  const cv::Mat image = NoisePattern(64, 96, 3);
  for (const ImageSize& size :
       {ImageSize{40, 60}, ImageSize{64, 96}, ImageSize{100, 150},
        ImageSize{64, 60}, ImageSize{40, 96}}) {
    const cv::Mat whole = PilResizeBilinear(image, size);
    for (const cv::Rect& region :
         {cv::Rect(0, 0, 1, 1), cv::Rect(13, 5, 31, 22), cv::Rect(59, 39, 1, 1),
          cv::Rect(0, 39, 60, 1)}) {
      const cv::Mat part = PilResizeBilinear(image, size, region);
      EXPECT_EQ(cv::norm(part, whole(region), cv::NORM_INF), 0.0)
          << size.height << " " << region;
    }
  }
}

TEST(PilResizeTest, DoesNotShareMemoryWithItsInput) {
  const cv::Mat image(4, 4, CV_8UC3, cv::Scalar::all(9));
  cv::Mat same = PilResizeBilinear(image, {4, 4});
  same.setTo(cv::Scalar::all(1));
  EXPECT_EQ(image.at<cv::Vec3b>(0, 0)[0], 9);
}

TEST(PilResizeTest, ReadsPartsOfLargerPictures) {
  const cv::Mat image = NoisePattern(64, 96, 3);
  const cv::Rect part(11, 7, 40, 30);
  EXPECT_EQ(Checksum(PilResizeBilinear(image(part), {20, 20})),
            Checksum(PilResizeBilinear(image(part).clone(), {20, 20})));
}

TEST(PilResizeTest, RefusesWhatItCannotResize) {
  const cv::Mat image = NoisePattern(8, 8, 3);
  EXPECT_THROW(PilResizeBilinear(cv::Mat(), {4, 4}), c10::Error);
  EXPECT_THROW(PilResizeBilinear(cv::Mat(2, 2, CV_16UC1), {4, 4}), c10::Error);
  EXPECT_THROW(PilResizeBilinear(image, {0, 4}), c10::Error);
  EXPECT_THROW(PilResizeBilinear(image, {4, 4}, cv::Rect(2, 0, 3, 1)),
               c10::Error);
}

}  // namespace
}  // namespace mask2former
