// What all makers of objects promise: vehicles, people, roadside.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "mask2former/data/scene/people.h"
#include "mask2former/data/scene/roadside.h"
#include "mask2former/data/scene/vehicles.h"

namespace mask2former {
namespace {

const Camera kCamera = {200, 400, 210, 200, 80, 1.7};
const Palette kPalette(0.5);

struct Extent {
  double left = 1e9, top = 1e9, right = -1e9, bottom = -1e9;
  double height() const { return bottom - top; }
  double width() const { return right - left; }
};

Extent Measure(const Drawing& drawing) {
  Extent e;
  for (const Polygon& part : drawing.parts) {
    for (const cv::Point2d& p : part) {
      e.left = std::min(e.left, p.x);
      e.right = std::max(e.right, p.x);
      e.top = std::min(e.top, p.y);
      e.bottom = std::max(e.bottom, p.y);
    }
  }
  return e;
}

std::vector<std::string> Labels(const std::vector<Drawing>& drawings) {
  std::vector<std::string> labels;
  for (const Drawing& drawing : drawings) labels.push_back(drawing.label);
  return labels;
}

// Metres of a figure that stands at z, from pixels.
double Metres(double pixels, double z) { return pixels / kCamera.Scale(z); }

TEST(MakePersonTest, StandsOnTheGroundAndIsAsTallAsPeople) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SceneRandom random(seed);
    const Drawing person = MakePerson(kCamera, {1, 6, 1}, kPalette, random);
    const Extent e = Measure(person);
    EXPECT_EQ(person.label, "person");
    EXPECT_NEAR(e.bottom, kCamera.Project(1, 0, 6).y, 1.5);
    EXPECT_NEAR(Metres(e.height(), 6), 1.8, 0.1);
    EXPECT_LT(e.width(), 0.8 * e.height());
    // Neck and all: one piece.
    const LatticePolygon outline = TraceOutline(person.parts, 200, 400);
    int top = 1000;
    for (const cv::Point& p : outline) top = std::min(top, p.y);
    EXPECT_NEAR(top, e.top, 1.5);
  }
}

TEST(MakeBicycleTest, ComesWithARiderIfRidden) {
  SceneRandom random(1);
  EXPECT_EQ(Labels(MakeBicycle(true, kCamera, {0, 6, 1}, kPalette, random)),
            (std::vector<std::string>{"bicycle", "rider"}));
  const std::vector<Drawing> parked =
      MakeBicycle(false, kCamera, {0, 6, 1}, kPalette, random);
  ASSERT_EQ(parked.size(), 1u);
  EXPECT_NEAR(Metres(Measure(parked[0]).height(), 6), 1.1, 0.1);
  EXPECT_EQ(Labels(MakeMotorcycle(true, kCamera, {0, 6, 1}, kPalette, random)),
            (std::vector<std::string>{"motorcycle", "rider"}));
}

TEST(MakeCarTest, HasTheSizeOfACarAndALicencePlate) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (const double x : {-3.0, 0.0, 3.0}) {
      SceneRandom random(seed);
      const std::vector<Drawing> car =
          MakeCar(kCamera, {x, 7, 1}, kPalette, random);
      EXPECT_EQ(Labels(car),
                (std::vector<std::string>{"car", "license plate"}));
      const Extent e = Measure(car[0]);
      EXPECT_GT(Metres(e.height(), 7), 1.2);
      EXPECT_LT(Metres(e.height(), 7), 2.1);
      EXPECT_GT(Metres(e.width(), 7), 1.6);
    }
  }
  SceneRandom random(2);
  const Extent side =
      Measure(MakeCrossingCar(kCamera, {0, 8, 1}, kPalette, random));
  EXPECT_GT(side.width(), 2.2 * side.height());
}

TEST(MakeBoxVehicleTest, IsTallerThanACar) {
  for (const char* label : {"bus", "truck", "train", "caravan"}) {
    SceneRandom random(3);
    const Drawing box =
        MakeBoxVehicle(label, kCamera, {2.5, 9, 1}, kPalette, random);
    EXPECT_EQ(box.label, label);
    EXPECT_GT(Metres(Measure(box).height(), 9), 2.1);
  }
}

TEST(MakePoleTest, KeepsItsMinimumWidthFarAway) {
  for (const double z : {6.0, 40.0}) {
    SceneRandom random(4);
    const std::vector<Drawing> pole = MakePole(
        Sign::kTrafficSign, 3, 9, kCamera, {4, z, 1}, kPalette, random);
    EXPECT_EQ(Labels(pole), (std::vector<std::string>{"pole", "traffic sign"}));
    EXPECT_GE(Measure(pole[0]).width(), 9);
    EXPECT_GE(Measure(pole[1]).width(), 2 * 9);
  }
  SceneRandom random(4);
  EXPECT_EQ(Labels(MakePole(Sign::kTrafficLight, 3, 9, kCamera, {4, 8, 1},
                            kPalette, random)),
            (std::vector<std::string>{"pole", "traffic light"}));
  EXPECT_EQ(
      Labels(MakePole(Sign::kNone, 5, 9, kCamera, {4, 8, 1}, kPalette, random)),
      (std::vector<std::string>{"pole"}));
}

TEST(MakeTreeTest, GrowsHigherThanABush) {
  SceneRandom random(5);
  const Drawing tree = MakeTree(false, kCamera, {4, 15, 1}, kPalette, random);
  const Drawing bush = MakeTree(true, kCamera, {4, 15, 1}, kPalette, random);
  EXPECT_EQ(tree.label, "vegetation");
  EXPECT_GT(Measure(tree).height(), 2 * Measure(bush).height());
}

TEST(MakeBarrierTest, ShrinksWithDistance) {
  SceneRandom random(6);
  for (const char* label : {"fence", "wall"}) {
    const Drawing barrier =
        MakeBarrier(label, 6, 7, 30, kCamera, kPalette, random);
    ASSERT_EQ(barrier.label, label);
    const Polygon& p = barrier.parts[0];
    EXPECT_GT(p[0].y - p[1].y, 3 * (p[3].y - p[2].y));
  }
}

}  // namespace
}  // namespace mask2former
