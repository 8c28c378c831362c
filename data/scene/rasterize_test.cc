#include "mask2former/data/scene/rasterize.h"

#include <gtest/gtest.h>

#include <vector>

namespace mask2former {
namespace {

std::vector<cv::Point> Box(int left, int top, int right, int bottom) {
  return {{left, top}, {right, top}, {right, bottom}, {left, bottom}};
}

TEST(RasterizeObjectsTest, CountsInstancesAsTheOfficialScriptsDo) {
  const std::vector<SceneObject> objects = {
      {"road", Box(0, 4, 9, 9)},
      {"car", Box(0, 0, 1, 1)},            // 26000, hidden by the next.
      {"car", Box(0, 0, 1, 1)},            // 26001
      {"cargroup", Box(2, 0, 3, 1)},       // 26
      {"car", Box(4, 0, 5, 1)},            // 26002
      {"license plate", Box(4, 0, 4, 0)},  // Nothing.
      {"polegroup", Box(6, 0, 6, 1)},      // 18, a label of its own.
      {"caravan", Box(7, 0, 7, 1)},        // 29000
      {"person", Box(8, 0, 8, 1)},         // 24000
      {"ego vehicle", Box(0, 9, 9, 9)},
  };
  const LabelImages images = RasterizeObjects(objects, 10, 10);
  const auto id = [&](int y, int x) {
    return images.instance_ids.at<uint16_t>(y, x);
  };
  EXPECT_EQ(id(0, 0), 26001);
  EXPECT_EQ(id(0, 2), 26);
  EXPECT_EQ(id(0, 4), 26002);
  EXPECT_EQ(id(0, 6), 18);
  EXPECT_EQ(id(0, 7), 29000);
  EXPECT_EQ(id(0, 8), 24000);
  EXPECT_EQ(id(3, 3), 0);
  EXPECT_EQ(id(5, 5), 7);
  EXPECT_EQ(id(9, 5), 1);
  for (int y = 0; y < 10; ++y) {
    for (int x = 0; x < 10; ++x) {
      const int label = id(y, x) >= 1000 ? id(y, x) / 1000 : id(y, x);
      EXPECT_EQ(images.label_ids.at<uint8_t>(y, x), label);
    }
  }
}

TEST(RasterizeObjectsDeathTest, KnowsOnlyLabelsOfCityscapes) {
  EXPECT_DEATH(RasterizeObjects({{"cat", Box(0, 0, 1, 1)}}, 4, 4),
               "no such label: cat");
}

}  // namespace
}  // namespace mask2former
