#include "mask2former/data/transforms/nearest_resize.h"

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

cv::Mat Whole(const cv::Mat& label, int height, int width) {
  return ResizeNearest(label, {height, width}, cv::Rect(0, 0, width, height));
}

cv::Mat WholeByCentre(const cv::Mat& label, int height, int width) {
  return ResizeNearestCentre(label, {height, width},
                             cv::Rect(0, 0, width, height));
}

TEST(ResizeNearestTest, EqualsPyTorchAtTheOfficialSizes) {
  const cv::Mat tall = NoisePattern(1024, 16, 1);
  const cv::Mat wide = NoisePattern(16, 2048, 1);
  for (const int size : kOfficialSizes) {
    const std::string name = std::to_string(size);
    EXPECT_EQ(Checksum(Whole(tall, size, 16)),
              GoldenChecksum("nearest rows " + name))
        << size;
    EXPECT_EQ(Checksum(Whole(wide, 16, 2 * size)),
              GoldenChecksum("nearest columns " + name))
        << size;
  }
}

TEST(ResizeNearestCentreTest, EqualsPillowAtTheOfficialSizes) {
  const cv::Mat tall = NoisePattern(1024, 16, 1);
  const cv::Mat wide = NoisePattern(16, 2048, 1);
  for (const int size : kOfficialSizes) {
    const std::string name = std::to_string(size);
    EXPECT_EQ(Checksum(WholeByCentre(tall, size, 16)),
              GoldenChecksum("pil nearest rows " + name))
        << size;
    EXPECT_EQ(Checksum(WholeByCentre(wide, 16, 2 * size)),
              GoldenChecksum("pil nearest columns " + name))
        << size;
  }
}

TEST(ResizeNearestCentreTest, TakesThePixelUnderTheCentreOfAnyDepth) {
  cv::Mat label = (cv::Mat_<uint16_t>(1, 4) << 0, 1000, 2000, 65535);
  const cv::Mat half = WholeByCentre(label, 1, 2);
  ASSERT_EQ(half.type(), CV_16UC1);
  EXPECT_EQ(half.at<uint16_t>(0, 0), 1000);
  EXPECT_EQ(half.at<uint16_t>(0, 1), 65535);
  EXPECT_EQ(Whole(label, 1, 2).at<uint16_t>(0, 1), 2000);
}

TEST(ResizeNearestCentreTest, ARegionEqualsTheCropOfTheWhole) {
  const cv::Mat label = LabelPattern(64, 96);
  const cv::Mat whole = WholeByCentre(label, 91, 137);
  const cv::Rect region(17, 31, 64, 48);
  EXPECT_EQ(cv::norm(ResizeNearestCentre(label, {91, 137}, region),
                     whole(region), cv::NORM_INF),
            0.0);
}

TEST(ResizeNearestTest, TakesTheLeftAndUpperPixel) {
  const cv::Mat label = (cv::Mat_<uint8_t>(2, 4) << 0, 1, 2, 3,  //
                         4, 5, 6, 7);
  const cv::Mat half = Whole(label, 1, 2);
  EXPECT_EQ(half.at<uint8_t>(0, 0), 0);
  EXPECT_EQ(half.at<uint8_t>(0, 1), 2);
  const cv::Mat twice = Whole(label, 4, 8);
  EXPECT_EQ(twice.at<uint8_t>(1, 3), 1);
  EXPECT_EQ(twice.at<uint8_t>(2, 4), 6);
}

TEST(ResizeNearestTest, ARegionEqualsTheCropOfTheWhole) {
  const cv::Mat label = LabelPattern(64, 96);
  const cv::Mat whole = Whole(label, 91, 137);
  const cv::Rect region(17, 31, 64, 48);
  EXPECT_EQ(cv::norm(ResizeNearest(label, {91, 137}, region), whole(region),
                     cv::NORM_INF),
            0.0);
}

TEST(ResizeNearestTest, RefusesWhatItCannotResize) {
  const cv::Mat label = LabelPattern(8, 8);
  EXPECT_THROW(Whole(cv::Mat(), 4, 4), c10::Error);
  EXPECT_THROW(Whole(NoisePattern(8, 8, 3), 4, 4), c10::Error);
  EXPECT_THROW(ResizeNearest(label, {4, 4}, cv::Rect(0, 0, 5, 4)), c10::Error);
}

}  // namespace
}  // namespace mask2former
