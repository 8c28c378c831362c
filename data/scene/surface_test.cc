#include "mask2former/data/scene/surface.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mask2former {
namespace {

const Camera kCamera = {200, 400, 210, 200, 80, 1.7};

TEST(ShadeTest, IsFiniteForEveryTextureOnEveryPlane) {
  for (int t = 0; t <= static_cast<int>(Texture::kCargo); ++t) {
    for (const Plane plane :
         {Plane::kPicture, Plane::kGround, Plane::kSide, Plane::kFront}) {
      Surface surface;
      surface.texture = static_cast<Texture>(t);
      surface.plane = plane;
      surface.offset = 6;
      surface.base = {0.5f, 0.4f, 0.3f};
      surface.accent = {0.2f, 0.3f, 0.4f};
      for (int y = 0; y < 200; y += 8) {
        for (int x = 0; x < 400; x += 8) {
          const Color c = Shade(surface, kCamera, x, y);
          ASSERT_TRUE(std::isfinite(c.r + c.g + c.b))
              << t << " " << x << " " << y;
        }
      }
    }
  }
}

TEST(ShadeTest, LiesInPerspective) {
  // Slabs of the pavement: more changes across a far row than a near one.
  Surface paving;
  paving.texture = Texture::kPaving;
  paving.plane = Plane::kGround;
  paving.base = {0.6f, 0.6f, 0.6f};
  const auto joints = [&](int y) {
    int count = 0;
    bool dark = false;
    for (int x = 0; x < 400; ++x) {
      const bool now = Shade(paving, kCamera, x, y).g < 0.4f;
      count += now && !dark;
      dark = now;
    }
    return count;
  };
  // Half a slab from a joint in depth: z = 3.5 and 7.5.
  const auto row = [](double z) {
    return static_cast<int>(80 + 210 * 1.7 / z + 0.5);
  };
  EXPECT_GE(joints(row(3.5)), 3);
  EXPECT_GT(joints(row(7.5)), 1.5 * joints(row(3.5)));
}

TEST(ShadeTest, ScalesWithLight) {
  Surface surface;
  surface.base = {0.5f, 0.25f, 0.125f};
  surface.light = 2;
  const Color c = Shade(surface, kCamera, 3, 4);
  EXPECT_FLOAT_EQ(c.r, 1);
  EXPECT_FLOAT_EQ(c.g, 0.5f);
  EXPECT_FLOAT_EQ(c.b, 0.25f);
}

}  // namespace
}  // namespace mask2former
