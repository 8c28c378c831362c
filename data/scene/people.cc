#include "mask2former/data/scene/people.h"

#include <cmath>
#include <utility>

namespace mask2former {
namespace {

constexpr ColorRange kClothes = {{0, 1}, {0.05, 0.75}, {0.12, 0.85}};
constexpr ColorRange kSkin = {{0.04, 0.1}, {0.3, 0.55}, {0.3, 0.9}};
constexpr ColorRange kHair = {{0.03, 0.13}, {0.1, 0.6}, {0.05, 0.5}};
constexpr ColorRange kBehindWheels = {{0, 1}, {0, 0.25}, {0.3, 0.6}};

// Places points that are given in metres from where the object touches the
// ground: x to the side it faces, y up.
class Figure {
 public:
  Figure(const Camera& camera, const Place& place, int facing, double squash)
      : scale_(camera.Scale(place.z) * place.scale),
        squash_(facing * squash),
        foot_(camera.Project(place.x, 0, place.z)),
        height_(camera.height) {}

  cv::Point2d At(double x, double y) const {
    return {foot_.x + x * squash_ * scale_, foot_.y - y * scale_};
  }
  double Pixels(double metres) const { return metres * scale_; }

  Polygon Limb(cv::Point2d a, cv::Point2d b, double radius) const {
    return Capsule(At(a.x, a.y), At(b.x, b.y), Pixels(radius));
  }
  Polygon Disc(cv::Point2d center, double radius) const {
    return Ellipse(At(center.x, center.y), Pixels(radius), Pixels(radius), 20);
  }

  // Cloth whose folds keep their size on the figure.
  Surface Cloth(Color color, const Camera& camera, const Place& place,
                SceneRandom& random) const {
    Surface surface;
    surface.texture = Texture::kCloth;
    surface.plane = Plane::kFront;
    surface.offset = place.z / place.scale;
    surface.base = color;
    surface.seed = static_cast<uint32_t>(random.Next());
    return surface;
  }

  Surface Wheel(Texture texture, cv::Point2d hub, double radius, Color base,
                Color accent) const {
    const cv::Point2d center = At(hub.x, hub.y);
    Surface surface;
    surface.texture = texture;
    surface.base = base;
    surface.accent = accent;
    surface.origin = cv::Point2f(center.x / height_, center.y / height_);
    surface.cell = cv::Point2f(Pixels(radius) * std::abs(squash_) / height_,
                               Pixels(radius) / height_);
    return surface;
  }
  Polygon WheelShape(cv::Point2d hub, double radius) const {
    return Ellipse(At(hub.x, hub.y), Pixels(radius) * std::abs(squash_),
                   Pixels(radius), 28);
  }

 private:
  double scale_;
  double squash_;
  cv::Point2d foot_;
  double height_;
};

Surface Flat(Color color) {
  Surface surface;
  surface.base = color;
  return surface;
}

Polygon GroundShadow(const Camera& camera, const Place& place, double half) {
  const cv::Point2d center = camera.Project(place.x, 0, place.z);
  const double pixels = half * place.scale * camera.Scale(place.z);
  return Ellipse(center, pixels, pixels * 0.22, 20);
}

// A head with its hair or helmet above the face.
void AddHead(const Figure& figure, cv::Point2d center, double radius,
             bool from_behind, Color cover, Drawing& drawing,
             SceneRandom& random) {
  AddPart(drawing, figure.Disc(center, radius), Flat(DrawColor(kSkin, random)));
  if (from_behind) {
    AddPart(drawing, figure.Disc(center + cv::Point2d(0, 0.02), radius),
            Flat(cover));
    return;
  }
  Polygon cap;
  for (int i = 0; i <= 10; ++i) {
    const cv::Point2d direction = Direction(i / 20.0);
    cap.push_back(figure.At(center.x, center.y) +
                  cv::Point2d(figure.Pixels(radius * 1.08) * direction.x,
                              -figure.Pixels(radius * 1.12) * direction.y));
  }
  for (const int side : {-1, 1}) {
    cap.push_back(figure.At(center.x, center.y + 0.15 * radius) +
                  cv::Point2d(side * figure.Pixels(radius), 0));
  }
  AddPart(drawing, std::move(cap), Flat(cover));
}

// Rider on a two-wheeler; coordinates of `seat` etc. are the figure's.
Drawing MakeRider(const Figure& figure, const Camera& camera,
                  const Place& place, const Palette& palette, cv::Point2d seat,
                  cv::Point2d hand, cv::Point2d pedal, SceneRandom& random) {
  Drawing rider;
  rider.label = "rider";
  rider.depth = place.z;
  const Color jacket = palette.Draw(kClothes, random);
  const Color trousers = palette.Draw(kClothes, random);
  rider.surface = figure.Cloth(jacket, camera, place, random);
  const Surface legs = figure.Cloth(trousers, camera, place, random);
  const cv::Point2d shoulder =
      seat + cv::Point2d(random.Uniform(0.16, 0.3), 0.52);
  const cv::Point2d knee = {seat.x + 0.42, seat.y - 0.22};
  const cv::Point2d foot = pedal;
  Surface far_leg = legs;
  far_leg.light = 0.7f;
  AddPart(rider, figure.Limb(seat, {knee.x - 0.1, knee.y - 0.12}, 0.1),
          far_leg);
  AddPart(rider,
          figure.Limb({knee.x - 0.1, knee.y - 0.12},
                      foot + cv::Point2d(0.16, 0.2), 0.08),
          far_leg);
  AddPart(rider, ConvexHull([&] {
            Polygon torso =
                figure.Limb(seat, seat + cv::Point2d(0.05, 0.05), 0.19);
            const Polygon upper =
                figure.Limb(shoulder, shoulder + cv::Point2d(0.02, -0.02), 0.2);
            torso.insert(torso.end(), upper.begin(), upper.end());
            return torso;
          }()),
          rider.surface);
  AddPart(rider, figure.Limb(seat, knee, 0.12), legs);
  AddPart(rider, figure.Limb(knee, foot, 0.09), legs);
  AddPart(rider, figure.Limb(foot, foot + cv::Point2d(0.14, -0.02), 0.06),
          Flat(0.4f * trousers));
  const cv::Point2d elbow = 0.5 * (shoulder + hand) + cv::Point2d(-0.04, -0.06);
  Surface sleeve = rider.surface;
  sleeve.light = 0.82f;
  AddPart(rider, figure.Limb(shoulder, elbow, 0.085), sleeve);
  AddPart(rider, figure.Limb(elbow, hand, 0.07), sleeve);
  AddHead(figure, shoulder + cv::Point2d(0.13, 0.3), 0.16, false,
          palette.Draw(kVividColors, random), rider, random);
  return rider;
}

}  // namespace

Drawing MakePerson(const Camera& camera, const Place& place,
                   const Palette& palette, SceneRandom& random) {
  const int facing = random.Sign();
  const Figure figure(camera, place, facing, 1);
  Drawing person;
  person.label = "person";
  person.depth = place.z;
  person.shadow = GroundShadow(camera, place, 0.45);
  const Color jacket = palette.Draw(kClothes, random);
  const Color trousers = palette.Draw(kClothes, random);
  person.surface = figure.Cloth(jacket, camera, place, random);
  const Surface legs = figure.Cloth(trousers, camera, place, random);
  const double stride = random.Uniform(0.06, 0.3);
  const double swing = random.Uniform(-0.5, 0.5) * stride;
  const double hip = 0.9;
  Surface far_leg = legs;
  far_leg.light = 0.75f;
  AddPart(person, figure.Limb({-0.09, hip}, {-0.08 - stride, 0.08}, 0.11),
          far_leg);
  AddPart(person, figure.Limb({0.09, hip}, {0.08 + stride, 0.08}, 0.11), legs);
  for (const double x : {-0.08 - stride, 0.08 + stride}) {
    AddPart(person, figure.Limb({x, 0.06}, {x + 0.12, 0.05}, 0.06),
            Flat({0.08f, 0.07f, 0.07f}));
  }
  Surface sleeve = person.surface;
  sleeve.light = 0.7f;
  AddPart(person, figure.Limb({-0.27, 1.36}, {-0.33 - swing, 0.86}, 0.085),
          sleeve);
  const double hem = random.Chance(0.3) ? random.Uniform(0.5, 0.65) : 0.84;
  AddPart(person,
          {figure.At(-0.3, 1.34), figure.At(-0.2, 1.46), figure.At(0.2, 1.46),
           figure.At(0.3, 1.34), figure.At(0.24, hem), figure.At(-0.24, hem)},
          person.surface);
  sleeve.light = 1.15f;
  AddPart(person, figure.Limb({0.27, 1.36}, {0.33 + swing, 0.86}, 0.085),
          sleeve);
  if (random.Chance(0.35)) {
    const Color bag = palette.Draw(kVividColors, random);
    AddPart(person,
            {figure.At(0.24, 0.85), figure.At(0.44, 0.85),
             figure.At(0.47, 0.52), figure.At(0.21, 0.52)},
            Flat(bag));
  }
  AddPart(person, figure.Limb({0, 1.4}, {0.01, 1.56}, 0.075),
          Flat(DrawColor(kSkin, random)));
  const bool from_behind = random.Chance(0.4);
  AddHead(figure, {0.01, 1.62}, 0.155, from_behind, DrawColor(kHair, random),
          person, random);
  return person;
}

std::vector<Drawing> MakeBicycle(bool ridden, const Camera& camera,
                                 const Place& place, const Palette& palette,
                                 SceneRandom& random) {
  const int facing = random.Sign();
  const Figure figure(camera, place, facing, random.Uniform(0.72, 1));
  const Color paint = palette.Draw(kVividColors, random);
  const Color gap = DrawColor(kBehindWheels, random);
  const Color metal = Contrast(gap, random);
  Drawing bicycle;
  bicycle.label = "bicycle";
  bicycle.depth = place.z;
  bicycle.shadow = GroundShadow(camera, place, 0.95);
  bicycle.surface = Flat(gap);
  const cv::Point2d back = {-0.55, 0.36};
  const cv::Point2d front = {0.55, 0.36};
  const cv::Point2d crank = {-0.05, 0.32};
  const cv::Point2d saddle = {-0.24, 0.92};
  const cv::Point2d head = {0.38, 0.9};
  for (const cv::Point2d& hub : {back, front}) {
    AddPart(bicycle, figure.WheelShape(hub, 0.36),
            figure.Wheel(Texture::kSpokes, hub, 0.36, metal, gap));
  }
  // What is between the tubes belongs to the bicycle, as with its wheels.
  bicycle.parts.push_back(
      {figure.At(back.x, back.y), figure.At(saddle.x, saddle.y),
       figure.At(head.x, head.y), figure.At(front.x, front.y),
       figure.At(crank.x, crank.y)});
  const Surface tube = Flat(paint);
  const double thick = 0.045;
  for (const auto& ends :
       {std::make_pair(back, saddle), std::make_pair(back, crank),
        std::make_pair(crank, saddle), std::make_pair(crank, head),
        std::make_pair(cv::Point2d(-0.2, 0.8), head),
        std::make_pair(head, front)}) {
    AddPart(bicycle, figure.Limb(ends.first, ends.second, thick), tube);
  }
  AddPart(bicycle, figure.Limb(head, {0.42, 1.04}, thick), tube);
  AddPart(bicycle, figure.Limb({0.36, 1.05}, {0.52, 1.02}, 0.045),
          Flat({0.07f, 0.07f, 0.07f}));
  AddPart(bicycle, figure.Limb({-0.34, 0.97}, {-0.14, 0.96}, 0.05),
          Flat({0.07f, 0.07f, 0.07f}));
  std::vector<Drawing> drawings = {std::move(bicycle)};
  if (ridden) {
    const cv::Point2d pedal = {crank.x + random.Uniform(-0.1, 0.12),
                               crank.y + random.Uniform(-0.14, 0.05)};
    drawings.push_back(MakeRider(figure, camera, place, palette, {-0.24, 1.06},
                                 {0.44, 1.08}, pedal, random));
  }
  return drawings;
}

std::vector<Drawing> MakeMotorcycle(bool ridden, const Camera& camera,
                                    const Place& place, const Palette& palette,
                                    SceneRandom& random) {
  const int facing = random.Sign();
  const Figure figure(camera, place, facing, random.Uniform(0.75, 1));
  const Color paint = palette.Draw(kVividColors, random);
  const Color dark = {0.08f, 0.08f, 0.085f};
  Drawing motorcycle;
  motorcycle.label = "motorcycle";
  motorcycle.depth = place.z;
  motorcycle.shadow = GroundShadow(camera, place, 1.05);
  motorcycle.surface = Flat(dark);
  for (const cv::Point2d hub :
       {cv::Point2d(-0.68, 0.32), cv::Point2d(0.7, 0.32)}) {
    AddPart(motorcycle, figure.WheelShape(hub, 0.34),
            figure.Wheel(Texture::kWheel, hub, 0.34, {0.6f, 0.6f, 0.62f},
                         {0.2f, 0.2f, 0.2f}));
  }
  // Engine, tank, seat, fork, lamp, exhaust.
  AddPart(motorcycle,
          {figure.At(-0.4, 0.28), figure.At(-0.35, 0.62), figure.At(0.3, 0.66),
           figure.At(0.35, 0.3), figure.At(0.1, 0.2)},
          Flat({0.25f, 0.25f, 0.27f}));
  AddPart(motorcycle,
          {figure.At(-0.1, 0.66), figure.At(0.02, 0.93), figure.At(0.35, 0.95),
           figure.At(0.5, 0.78), figure.At(0.3, 0.6)},
          Flat(paint));
  AddPart(motorcycle, figure.Limb({-0.85, 0.84}, {-0.05, 0.78}, 0.09),
          Flat(dark));
  AddPart(motorcycle, figure.Limb({0.7, 0.32}, {0.45, 1.0}, 0.06),
          Flat({0.5f, 0.5f, 0.52f}));
  AddPart(motorcycle, figure.Disc({0.56, 0.9}, 0.1), Flat({0.9f, 0.9f, 0.8f}));
  AddPart(motorcycle, figure.Limb({-0.8, 0.3}, {0.0, 0.26}, 0.07),
          Flat({0.6f, 0.6f, 0.6f}));
  AddPart(motorcycle, figure.Limb({0.3, 1.08}, {0.46, 1.02}, 0.045),
          Flat(dark));
  std::vector<Drawing> drawings = {std::move(motorcycle)};
  if (ridden) {
    drawings.push_back(MakeRider(figure, camera, place, palette, {-0.32, 0.95},
                                 {0.34, 1.08}, {0.02, 0.36}, random));
  }
  return drawings;
}

}  // namespace mask2former
