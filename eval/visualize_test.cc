#include "mask2former/eval/visualize.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {
namespace {

const cv::Vec3b kRoad(128, 64, 128);
const cv::Vec3b kRider(255, 0, 0);
const cv::Vec3b kBlack(0, 0, 0);
const cv::Vec3b kWhite(255, 255, 255);

cv::Mat Image(int height, int width, const cv::Vec3b& color) {
  return cv::Mat(height, width, CV_8UC3,
                 cv::Scalar(color[0], color[1], color[2]));
}

cv::Mat Labels(int height, int width, int train_id) {
  return cv::Mat(height, width, CV_8UC1, cv::Scalar(train_id));
}

TEST(VisualizeTest, GivesEachClassItsColorInRgb) {
  cv::Mat labels(1, 256, CV_8UC1);
  for (int i = 0; i < 256; ++i) labels.at<uint8_t>(0, i) = i;
  const cv::Mat colors = ColorizeTrainIds(labels);
  ASSERT_EQ(colors.type(), CV_8UC3);
  EXPECT_EQ(colors.at<cv::Vec3b>(0, 12), kRider);
  for (int i = 0; i < kCityscapesClasses; ++i) {
    const auto& color = CityscapesClass(i).color;
    EXPECT_EQ(colors.at<cv::Vec3b>(0, i),
              cv::Vec3b(color[0], color[1], color[2]));
  }
  for (int i = kCityscapesClasses; i < 256; ++i) {
    EXPECT_EQ(colors.at<cv::Vec3b>(0, i), kBlack);
  }
}

TEST(VisualizeTest, OverlayMixesAndLeavesNoClassAlone) {
  const cv::Mat image = Image(2, 4, {28, 64, 228});
  cv::Mat labels = Labels(2, 4, 0);
  labels.at<uint8_t>(1, 3) = 255;
  const cv::Mat overlay = OverlayTrainIds(image, labels, 0.25);
  EXPECT_EQ(overlay.at<cv::Vec3b>(0, 0), cv::Vec3b(53, 64, 203));
  EXPECT_EQ(overlay.at<cv::Vec3b>(1, 3), cv::Vec3b(28, 64, 228));
  EXPECT_EQ(image.at<cv::Vec3b>(0, 0), cv::Vec3b(28, 64, 228));
  EXPECT_EQ(OverlayTrainIds(image, labels, 1).at<cv::Vec3b>(0, 0), kRoad);
  EXPECT_EQ(OverlayTrainIds(image, labels, 0).at<cv::Vec3b>(0, 0),
            cv::Vec3b(28, 64, 228));
}

TEST(VisualizeTest, OtherClassesHaveTheirOwnColors) {
  const ClassColors colors = {{1, 2, 3}, {250, 0, 40}};
  const cv::Mat labels = (cv::Mat_<uint8_t>(1, 4) << 0, 1, 2, 255);
  const cv::Mat painted = ColorizeTrainIds(labels, colors);
  EXPECT_EQ(painted.at<cv::Vec3b>(0, 0), cv::Vec3b(1, 2, 3));
  EXPECT_EQ(painted.at<cv::Vec3b>(0, 1), cv::Vec3b(250, 0, 40));
  EXPECT_EQ(painted.at<cv::Vec3b>(0, 2), cv::Vec3b(0, 0, 0));
  const cv::Mat image(1, 4, CV_8UC3, cv::Scalar(100, 100, 100));
  const cv::Mat overlay = OverlayTrainIds(image, labels, 0.5, colors);
  EXPECT_EQ(overlay.at<cv::Vec3b>(0, 1), cv::Vec3b(175, 50, 70));
  EXPECT_EQ(overlay.at<cv::Vec3b>(0, 2), cv::Vec3b(100, 100, 100));
  EXPECT_EQ(overlay.at<cv::Vec3b>(0, 3), cv::Vec3b(100, 100, 100));
  StripOptions options;
  options.colors = colors;
  const cv::Mat strip = EvaluationStrip(image, labels, labels, options);
  EXPECT_EQ(strip.at<cv::Vec3b>(0, 4 + 4 + 1), cv::Vec3b(250, 0, 40));
}

TEST(VisualizeTest, StripShowsImageTruthAndPrediction) {
  cv::Mat truth = Labels(3, 10, 0);
  truth.at<uint8_t>(0, 0) = 255;
  const cv::Mat strip =
      EvaluationStrip(Image(3, 10, {1, 2, 3}), truth, Labels(3, 10, 12));
  ASSERT_EQ(strip.size(), cv::Size(38, 3));
  EXPECT_EQ(strip.at<cv::Vec3b>(0, 0), cv::Vec3b(1, 2, 3));
  EXPECT_EQ(strip.at<cv::Vec3b>(2, 10), kWhite);
  EXPECT_EQ(strip.at<cv::Vec3b>(2, 13), kWhite);
  EXPECT_EQ(strip.at<cv::Vec3b>(0, 14), kBlack);
  EXPECT_EQ(strip.at<cv::Vec3b>(0, 15), kRoad);
  EXPECT_EQ(strip.at<cv::Vec3b>(1, 24), kWhite);
  EXPECT_EQ(strip.at<cv::Vec3b>(0, 28), kRider);
  EXPECT_EQ(strip.at<cv::Vec3b>(2, 37), kRider);
}

TEST(VisualizeTest, StripHidesIgnoredPixelsOnRequest) {
  cv::Mat truth = Labels(3, 10, 0);
  truth.at<uint8_t>(0, 0) = 255;
  StripOptions options;
  options.hide_ignored = true;
  const cv::Mat prediction = Labels(3, 10, 12);
  const cv::Mat strip =
      EvaluationStrip(Image(3, 10, {1, 2, 3}), truth, prediction, options);
  EXPECT_EQ(strip.at<cv::Vec3b>(0, 28), kBlack);
  EXPECT_EQ(strip.at<cv::Vec3b>(0, 29), kRider);
  EXPECT_EQ(prediction.at<uint8_t>(0, 0), 12);  // The caller's is untouched.
}

TEST(VisualizeTest, StripWithoutGroundTruthHasTwoPanels) {
  StripOptions options;
  options.alpha = 0.5;
  const cv::Mat strip = EvaluationStrip(Image(3, 10, {28, 64, 28}), cv::Mat(),
                                        Labels(3, 10, 0), options);
  ASSERT_EQ(strip.size(), cv::Size(24, 3));
  EXPECT_EQ(strip.at<cv::Vec3b>(0, 20), cv::Vec3b(78, 64, 78));
}

TEST(VisualizeTest, StripMakesWideImagesSmallerWithoutMixingClasses) {
  cv::Mat prediction = Labels(64, 128, 0);
  prediction.colRange(37, 128) = 12;
  StripOptions options;
  options.max_panel_width = 32;
  options.with_legend = false;
  const cv::Mat strip = EvaluationStrip(Image(64, 128, {1, 2, 3}), cv::Mat(),
                                        prediction, options);
  ASSERT_EQ(strip.size(), cv::Size(68, 16));
  for (int x = 36; x < 68; ++x) {
    const cv::Vec3b pixel = strip.at<cv::Vec3b>(8, x);
    EXPECT_TRUE(pixel == kRoad || pixel == kRider) << x;
  }
}

TEST(VisualizeTest, StripMayHaveALegend) {
  StripOptions options;
  options.with_legend = true;
  const cv::Mat strip =
      EvaluationStrip(Image(100, 200, {1, 2, 3}), Labels(100, 200, 0),
                      Labels(100, 200, 0), options);
  EXPECT_EQ(strip.cols, 608);
  EXPECT_EQ(strip.rows, 100 + LegendImage(608).rows);
}

TEST(VisualizeTest, LegendHasEveryColor) {
  for (const int width : {160, 700, 4000}) {
    const cv::Mat legend = LegendImage(width);
    EXPECT_EQ(legend.cols, width);
    for (int i = 0; i < kCityscapesClasses; ++i) {
      const auto& color = CityscapesClass(i).color;
      cv::Mat found;
      cv::inRange(legend, cv::Scalar(color[0], color[1], color[2]),
                  cv::Scalar(color[0], color[1], color[2]), found);
      EXPECT_GE(cv::countNonZero(found), 24 * 16) << i;
    }
  }
}

TEST(VisualizeTest, ThrowsForOtherSizesAndTypes) {
  const cv::Mat image = Image(3, 10, {1, 2, 3});
  EXPECT_THROW(OverlayTrainIds(image, Labels(3, 9, 0)), cv::Exception);
  EXPECT_THROW(OverlayTrainIds(Labels(3, 10, 0), Labels(3, 10, 0)),
               cv::Exception);
  EXPECT_THROW(ColorizeTrainIds(image), cv::Exception);
  EXPECT_THROW(EvaluationStrip(image, Labels(2, 10, 0), Labels(3, 10, 0)),
               cv::Exception);
  EXPECT_THROW(JoinPanels({}), cv::Exception);
  EXPECT_THROW(LegendImage(100), cv::Exception);
}

}  // namespace
}  // namespace mask2former
