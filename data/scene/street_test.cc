#include "mask2former/data/scene/street.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace mask2former {
namespace {

TEST(PlanStreetTest, OrdersItsStripsFromTheRoadOutwards) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SceneRandom random(seed);
    const Street street = PlanStreet(128, 256, random);
    for (const StreetSide& side : street.sides) {
      EXPECT_EQ(side.verge.from, side.curb);
      EXPECT_EQ(side.sidewalk.from, side.verge.to);
      EXPECT_GT(side.sidewalk.to, side.sidewalk.from);
      EXPECT_EQ(side.garden.from, side.sidewalk.to);
      EXPECT_GT(side.facade, side.garden.to);
      // Some grass on each side.
      EXPECT_GT(
          side.verge.to - side.verge.from + side.garden.to - side.garden.from,
          1);
    }
    // What the picture's lower edge shows is on the street.
    EXPECT_GE(street.camera.Project(0, 0, street.near).y, 128);
    EXPECT_LT(street.near, street.far);
  }
}

TEST(MakeBackdropTest, HasEveryKindOfGround) {
  SceneRandom random(1);
  const Street street = PlanStreet(128, 256, random);
  std::map<std::string, int> count;
  for (const Drawing& d : MakeBackdrop(street, Palette(0.5), random)) {
    ++count[d.label];
  }
  EXPECT_EQ(count["sky"], 1);
  EXPECT_EQ(count["road"], 1);
  EXPECT_EQ(count["sidewalk"], 2);
  EXPECT_GE(count["terrain"], 1);
}

TEST(MakeHousesTest, StandBesideTheStreet) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SceneRandom random(seed);
    const Street street = PlanStreet(128, 256, random);
    const double middle = street.camera.horizon_x;
    std::set<bool> sides;
    for (const Drawing& d : MakeHouses(street, Palette(0.5), random)) {
      EXPECT_EQ(d.label, "building");
      const bool left = d.parts[0][0].x < middle;
      for (const cv::Point2d& p : d.parts[0]) EXPECT_EQ(p.x < middle, left);
      sides.insert(left);
    }
    EXPECT_EQ(sides.size(), 2u);
  }
}

}  // namespace
}  // namespace mask2former
