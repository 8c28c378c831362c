#include "mask2former/data/scene/placement.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace mask2former {
namespace {

std::map<std::string, int> CountLabels(const SceneOptions& options,
                                       int scenes) {
  std::map<std::string, int> count;
  for (int seed = 0; seed < scenes; ++seed) {
    SceneRandom random(seed);
    const Street street = PlanStreet(options.height, options.width, random);
    for (const Drawing& d :
         PlaceObjects(street, options, Palette(0.5), random)) {
      ++count[d.label];
    }
  }
  return count;
}

TEST(PlaceObjectsTest, DrawsThingsFromFarToNear) {
  SceneRandom random(7);
  const SceneOptions options;
  const Street street = PlanStreet(options.height, options.width, random);
  double depth = 1e9;
  bool after_fence = false;
  for (const Drawing& d : PlaceObjects(street, options, Palette(1), random)) {
    if (d.label == "fence") {
      after_fence = true;
      depth = 1e9;
    } else if (after_fence) {
      EXPECT_LE(d.depth, depth) << d.label;
      depth = d.depth;
    }
  }
  EXPECT_TRUE(after_fence);
}

TEST(PlaceObjectsTest, PlacesMoreForMoreDensityAndNoThingForNone) {
  SceneOptions options;
  options.void_areas = 0;
  options.density = 0;
  std::map<std::string, int> none = CountLabels(options, 20);
  EXPECT_EQ(none["car"] + none["person"] + none["rider"] + none["pole"], 0);
  options.density = 1;
  std::map<std::string, int> some = CountLabels(options, 20);
  options.density = 3;
  std::map<std::string, int> many = CountLabels(options, 20);
  const auto total = [](std::map<std::string, int>& count) {
    return count["car"] + count["person"] + count["rider"] + count["pole"];
  };
  for (const char* label : {"car", "person", "rider", "pole"}) {
    EXPECT_GE(some[label], 20) << label;
  }
  EXPECT_GT(total(many), 1.3 * total(some));
}

TEST(PlaceObjectsTest, PlacesRareClassesOnlyWhenAsked) {
  SceneOptions options;
  std::map<std::string, int> usual = CountLabels(options, 40);
  options.rare_classes = 1;
  std::map<std::string, int> rare = CountLabels(options, 40);
  for (const char* label :
       {"wall", "traffic light", "truck", "train", "motorcycle", "caravan"}) {
    EXPECT_EQ(usual[label], 0) << label;
    EXPECT_GT(rare[label], 0) << label;
  }
}

}  // namespace
}  // namespace mask2former
