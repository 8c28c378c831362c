#include "mask2former/data/scene/roadside.h"

#include <algorithm>
#include <string>
#include <utility>

namespace mask2former {
namespace {

constexpr ColorRange kPoleColors = {{0, 1}, {0, 0.15}, {0.2, 0.6}};
constexpr ColorRange kLeafColors = {{0.2, 0.4}, {0.25, 0.65}, {0.3, 0.7}};
constexpr ColorRange kFenceColors = {{0.03, 0.12}, {0.1, 0.5}, {0.4, 0.85}};

Surface Flat(Color color) {
  Surface surface;
  surface.base = color;
  return surface;
}

// The same outline, its middle kept, smaller or larger.
Polygon Scaled(const Polygon& polygon, cv::Point2d middle, double factor) {
  Polygon scaled;
  for (const cv::Point2d& p : polygon) {
    scaled.push_back(middle + factor * (p - middle));
  }
  return scaled;
}

// A plate with a rim and something on it.
Drawing MakeTrafficSign(cv::Point2d middle, double radius,
                        SceneRandom& random) {
  Drawing sign;
  sign.label = "traffic sign";
  Polygon plate;
  const int kind = random.Integer(0, 4);
  switch (kind) {
    case 0:
      plate = Ellipse(middle, radius, radius, 36);
      break;
    case 1:  // A triangle, point up.
      plate = RegularPolygon(middle + cv::Point2d(0, 0.2 * radius),
                             1.25 * radius, 3, 0.75);
      break;
    case 2:
      plate = RegularPolygon(middle, 1.08 * radius, 8, 1.0 / 16);
      break;
    case 3:
      plate = RegularPolygon(middle, 1.15 * radius, 4, 0);
      break;
    default:
      plate = Rectangle(middle.x - 0.9 * radius, middle.y - 0.9 * radius,
                        middle.x + 0.9 * radius, middle.y + 0.9 * radius);
  }
  const Color inner = DrawColor(kVividColors, random);
  const Color rim = Contrast(inner, random);
  const Color mark = Contrast(inner, random);
  sign.surface = Flat(rim);
  sign.parts.push_back(plate);
  const cv::Point2d heart =
      kind == 1 ? middle + cv::Point2d(0, 0.2 * radius) : middle;
  sign.details.push_back({Scaled(plate, heart, 0.7), Flat(inner)});
  const double r = radius * (kind == 1 ? 0.75 : 1);
  switch (random.Integer(0, 3)) {
    case 0:  // A bar.
      sign.details.push_back({Rectangle(heart.x - 0.42 * r, heart.y - 0.13 * r,
                                        heart.x + 0.42 * r, heart.y + 0.13 * r),
                              Flat(mark)});
      break;
    case 1:  // An arrow upwards.
      sign.details.push_back({{{heart.x, heart.y - 0.48 * r},
                               {heart.x + 0.34 * r, heart.y},
                               {heart.x + 0.12 * r, heart.y},
                               {heart.x + 0.12 * r, heart.y + 0.42 * r},
                               {heart.x - 0.12 * r, heart.y + 0.42 * r},
                               {heart.x - 0.12 * r, heart.y},
                               {heart.x - 0.34 * r, heart.y}},
                              Flat(mark)});
      break;
    case 2:  // A dot.
      sign.details.push_back(
          {Ellipse(heart, 0.28 * r, 0.28 * r, 20), Flat(mark)});
      break;
    default:  // Two figures.
      for (const double x : {-0.34, 0.08}) {
        sign.details.push_back(
            {Rectangle(heart.x + x * r, heart.y - 0.32 * r,
                       heart.x + (x + 0.26) * r, heart.y + 0.32 * r),
             Flat(mark)});
      }
  }
  return sign;
}

// A dark box with three lamps, one of them on.
Drawing MakeTrafficLight(cv::Point2d middle, double radius,
                         SceneRandom& random) {
  Drawing light;
  light.label = "traffic light";
  const double half = 0.62 * radius;
  light.surface = Flat({0.07f, 0.07f, 0.075f});
  light.parts.push_back(Rectangle(middle.x - half, middle.y - 1.5 * radius,
                                  middle.x + half, middle.y + 1.5 * radius));
  const Color on[] = {
      {0.98f, 0.2f, 0.15f}, {1.0f, 0.75f, 0.2f}, {0.2f, 0.95f, 0.6f}};
  const int lit = random.Integer(0, 2);
  for (int i = 0; i < 3; ++i) {
    const cv::Point2d lamp(middle.x, middle.y + (i - 1) * 0.95 * radius);
    light.details.push_back({Ellipse(lamp, 0.4 * radius, 0.4 * radius, 20),
                             Flat((i == lit ? 1.0f : 0.28f) * on[i])});
  }
  return light;
}

}  // namespace

std::vector<Drawing> MakePole(Sign sign, double pole_height, double minimum,
                              const Camera& camera, const Place& place,
                              const Palette& palette, SceneRandom& random) {
  const double scale = camera.Scale(place.z);
  const double half = std::max(0.5 * minimum, 0.1 * place.scale * scale);
  const cv::Point2d foot = camera.Project(place.x, 0, place.z);
  const cv::Point2d top = camera.Project(place.x, pole_height, place.z);
  Drawing pole;
  pole.label = "pole";
  pole.depth = place.z;
  const Color color = palette.Draw(kPoleColors, random);
  Surface metal;
  metal.texture = Texture::kCylinder;
  metal.base = color;
  metal.origin = cv::Point2f((foot.x - half) / camera.height, 0);
  metal.extent = cv::Point2f(2 * half / camera.height, 1);
  pole.surface = metal;
  pole.shadow = Ellipse(foot, 2.5 * half, 0.7 * half, 16);
  pole.parts.push_back(Rectangle(foot.x - half, top.y, foot.x + half, foot.y));
  // A thicker base.
  Surface base = metal;
  base.light = 0.75f;
  base.origin.x = (foot.x - 1.35 * half) / camera.height;
  base.extent.x = 2.7 * half / camera.height;
  AddPart(pole,
          Rectangle(foot.x - 1.35 * half, foot.y - 0.07 * (foot.y - top.y),
                    foot.x + 1.35 * half, foot.y),
          base);
  std::vector<Drawing> drawings;
  if (sign == Sign::kNone) {
    // A lamp over the road.
    const double reach = random.Uniform(0.8, 1.3) * (place.x > 0 ? -1 : 1);
    const double arm = std::max(0.8 * half, 2.0);
    AddPart(pole,
            Capsule(top, top + cv::Point2d(reach * 4 * half, -1.2 * half), arm),
            metal);
    pole.details.push_back(
        {Capsule(top + cv::Point2d(reach * 2.6 * half, 0.1 * half),
                 top + cv::Point2d(reach * 4 * half, -0.5 * half), 0.35 * arm),
         Flat({0.97f, 0.95f, 0.8f})});
    drawings.push_back(std::move(pole));
    return drawings;
  }
  drawings.push_back(std::move(pole));
  const double radius = std::max(1.3 * minimum, 0.42 * place.scale * scale) *
                        random.Uniform(1, 1.2);
  const cv::Point2d middle(foot.x, top.y + 0.9 * radius);
  Drawing board = sign == Sign::kTrafficSign
                      ? MakeTrafficSign(middle, radius, random)
                      : MakeTrafficLight(middle + cv::Point2d(0, 0.5 * radius),
                                         radius, random);
  board.depth = place.z - 0.01;
  drawings.push_back(std::move(board));
  return drawings;
}

Drawing MakeTree(bool bush, const Camera& camera, const Place& place,
                 const Palette& palette, SceneRandom& random) {
  const double radius =
      (bush ? random.Uniform(0.7, 1.1) : random.Uniform(1.5, 2.5)) *
      place.scale;
  const double middle_y =
      bush ? 0.55 * radius : random.Uniform(3.4, 4.6) * place.scale;
  const double squash = bush ? 0.8 : random.Uniform(0.8, 1.2);
  const double scale = camera.Scale(place.z);
  const cv::Point2d middle = camera.Project(place.x, middle_y, place.z);
  Drawing tree;
  tree.label = "vegetation";
  tree.depth = place.z;
  const cv::Point2d foot = camera.Project(place.x, 0, place.z);
  tree.shadow = Ellipse(foot, radius * scale, 0.18 * radius * scale, 24);
  const Color color = palette.Draw(kLeafColors, random);
  // A crown is a cloud of discs around a large one.
  tree.surface.texture = Texture::kLeaves;
  tree.surface.plane = Plane::kFront;
  tree.surface.offset = place.z;
  tree.surface.base = color;
  tree.surface.accent =
      Mix(color, FromHsv(random.Uniform(0, 1), 0.4, 0.9), 0.3f);
  tree.surface.seed = static_cast<uint32_t>(random.Next());
  tree.surface.origin = cv::Point2f(place.x, middle_y);
  const double dab = std::max(0.2 * place.scale, 0.017 * camera.height / scale);
  tree.surface.cell = cv::Point2f(dab, dab);
  tree.surface.extent = cv::Point2f(2 * radius, 2 * radius);
  if (!bush) {
    const Color bark = FromHsv(random.Uniform(0.03, 0.12), 0.35, 0.3);
    const double half = 0.14 * place.scale * scale;
    Surface trunk;
    trunk.texture = Texture::kCylinder;
    trunk.base = bark;
    trunk.origin = cv::Point2f((foot.x - half) / camera.height, 0);
    trunk.extent = cv::Point2f(2 * half / camera.height, 1);
    AddPart(tree, Rectangle(foot.x - half, middle.y, foot.x + half, foot.y),
            trunk);
  }
  tree.parts.push_back(
      Ellipse(middle, 0.8 * radius * scale, 0.8 * radius * squash * scale, 24));
  tree.details.push_back({tree.parts.back(), tree.surface});
  const int lobes = random.Integer(9, 13);
  const double start = random.Uniform(0, 1);
  for (int i = 0; i < lobes; ++i) {
    const cv::Point2d direction =
        Direction(start + (i + random.Uniform(-0.3, 0.3)) / lobes);
    const double reach = random.Uniform(0.62, 0.8) * radius * scale;
    const double size = random.Uniform(0.24, 0.42) * radius * scale;
    AddPart(tree,
            Ellipse(middle + cv::Point2d(direction.x * reach,
                                         direction.y * reach * squash),
                    size, size, 16),
            tree.surface);
  }
  return tree;
}

Drawing MakeBarrier(const char* label, double x, double near, double far,
                    const Camera& camera, const Palette& palette,
                    SceneRandom& random) {
  const bool wall = std::string(label) == "wall";
  const double height =
      wall ? random.Uniform(1.5, 2.3) : random.Uniform(1.25, 1.7);
  Drawing barrier;
  barrier.label = label;
  barrier.depth = far;
  barrier.parts.push_back(
      {camera.Project(x, 0, near), camera.Project(x, height, near),
       camera.Project(x, height, far), camera.Project(x, 0, far)});
  Surface& surface = barrier.surface;
  surface.texture = wall ? Texture::kBricks : Texture::kPickets;
  surface.plane = Plane::kSide;
  surface.offset = x;
  surface.base = palette.Draw(kFenceColors, random);
  surface.accent = 0.22f * palette.Draw(kFenceColors, random);
  surface.seed = static_cast<uint32_t>(random.Next());
  surface.origin = cv::Point2f(near, 0);
  surface.cell = wall ? cv::Point2f(0.9f, 0.38f)
                      : cv::Point2f(random.Uniform(0.42, 0.6), 1);
  surface.extent = cv::Point2f(far - near, height);
  return barrier;
}

}  // namespace mask2former
