#include "mask2former/data/scene/render.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>
#include <utility>

namespace mask2former {
namespace {

OutlinedDrawing Patch(LatticePolygon outline, Color color) {
  OutlinedDrawing item;
  item.drawing.surface.base = color;
  item.outline = std::move(outline);
  return item;
}

float Brightness(const cv::Mat& picture, int y, int x) {
  const cv::Vec3b& p = picture.at<cv::Vec3b>(y, x);
  return (p[0] + p[1] + p[2]) / 3.0f;
}

// Below and above the number of rows where supersampling ends.
class RenderPictureTest : public ::testing::TestWithParam<int> {
 protected:
  RenderPictureTest() {
    camera_.height = GetParam();
    camera_.width = 120;
    camera_.focal = 100;
    camera_.elevation = 1.5;
  }
  Camera camera_;
};

TEST_P(RenderPictureTest, PaintsLaterOverEarlierAndDetailsInsideTheirOwner) {
  std::vector<OutlinedDrawing> items;
  items.push_back(
      Patch({{0, 0}, {119, 0}, {119, 59}, {0, 59}}, {0.5f, 0.5f, 0.5f}));
  items.push_back(
      Patch({{20, 20}, {60, 20}, {60, 40}, {20, 40}}, {0.1f, 0.1f, 0.1f}));
  items.back().drawing.details.push_back(
      {Rectangle(50, 25, 90, 35), items.back().drawing.surface});
  items.back().drawing.details[0].surface.base = {0.9f, 0.9f, 0.9f};
  items.push_back({});  // Not seen.
  SceneRandom random(1);
  const cv::Mat picture = RenderPicture(items, camera_, random);
  ASSERT_EQ(picture.type(), CV_8UC3);
  ASSERT_EQ(picture.rows, GetParam());
  const float ground = Brightness(picture, 10, 100);
  EXPECT_LT(Brightness(picture, 30, 30), 0.5f * ground);
  EXPECT_GT(Brightness(picture, 30, 55), 1.4f * ground);
  EXPECT_NEAR(Brightness(picture, 30, 75), ground, 25);  // Cut off.
}

TEST_P(RenderPictureTest, DarkensWhatLiesInAShadow) {
  std::vector<OutlinedDrawing> items;
  items.push_back(
      Patch({{0, 0}, {119, 0}, {119, 59}, {0, 59}}, {0.7f, 0.7f, 0.7f}));
  items.push_back(
      Patch({{60, 20}, {70, 20}, {70, 40}, {60, 40}}, {0.7f, 0.7f, 0.7f}));
  items.back().drawing.shadow = Rectangle(50, 30, 80, 45);
  SceneRandom random(2);
  const cv::Mat picture = RenderPicture(items, camera_, random);
  const float lit = Brightness(picture, 25, 54);
  EXPECT_LT(Brightness(picture, 38, 54), 0.75f * lit);
  EXPECT_NEAR(Brightness(picture, 36, 65), lit, 30);  // Not on what casts it.
}

TEST_P(RenderPictureTest, TakesLightAndNoiseFromTheGenerator) {
  const std::vector<OutlinedDrawing> items = {
      Patch({{0, 0}, {119, 0}, {119, 59}, {0, 59}}, {0.5f, 0.4f, 0.3f})};
  SceneRandom a(1), again(1), b(2);
  const cv::Mat first = RenderPicture(items, camera_, a);
  EXPECT_EQ(cv::norm(first, RenderPicture(items, camera_, again)), 0);
  EXPECT_GT(cv::norm(first, RenderPicture(items, camera_, b)), 0);
}

INSTANTIATE_TEST_SUITE_P(Rows, RenderPictureTest, ::testing::Values(60, 720));

}  // namespace
}  // namespace mask2former
