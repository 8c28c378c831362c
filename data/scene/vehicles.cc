#include "mask2former/data/scene/vehicles.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace mask2former {
namespace {

constexpr ColorRange kCarColors = {{0, 1}, {0.0, 0.7}, {0.1, 0.9}};
constexpr Color kTyre = {0.05f, 0.05f, 0.055f};

// A box on the ground along the street.
struct Box {
  double left, right;  // X
  double low, high;    // Y
  double near, far;    // Z
};

Polygon FrontFace(const Camera& camera, const Box& box) {
  const cv::Point2d a = camera.Project(box.left, box.low, box.near);
  const cv::Point2d b = camera.Project(box.right, box.high, box.near);
  return Rectangle(a.x, b.y, b.x, a.y);
}

// The side that the camera at X = 0 sees; empty if it sees none.
Polygon SideFace(const Camera& camera, const Box& box) {
  if (box.left < 0 && box.right > 0) return {};
  const double x = box.left >= 0 ? box.left : box.right;
  return {camera.Project(x, box.low, box.near),
          camera.Project(x, box.high, box.near),
          camera.Project(x, box.high, box.far),
          camera.Project(x, box.low, box.far)};
}

Polygon TopFace(const Camera& camera, const Box& box) {
  return {camera.Project(box.left, box.high, box.near),
          camera.Project(box.right, box.high, box.near),
          camera.Project(box.right, box.high, box.far),
          camera.Project(box.left, box.high, box.far)};
}

Polygon Silhouette(const Camera& camera, const Box& box) {
  Polygon points;
  for (const double x : {box.left, box.right}) {
    for (const double y : {box.low, box.high}) {
      for (const double z : {box.near, box.far}) {
        points.push_back(camera.Project(x, y, z));
      }
    }
  }
  return ConvexHull(std::move(points));
}

// The ground below a box, a little larger.
Polygon Shadow(const Camera& camera, const Box& box) {
  const double margin = 0.12 * (box.right - box.left);
  return {camera.Project(box.left - margin, 0, box.near * 0.985),
          camera.Project(box.right + margin, 0, box.near * 0.985),
          camera.Project(box.right + margin, 0, box.far),
          camera.Project(box.left - margin, 0, box.far)};
}

Surface OnFront(Texture texture, const Box& box, Color base, Color accent) {
  Surface surface;
  surface.texture = texture;
  surface.plane = Plane::kFront;
  surface.offset = box.near;
  surface.base = base;
  surface.accent = accent;
  surface.origin = cv::Point2f(box.left, box.low);
  surface.extent = cv::Point2f(box.right - box.left, box.high - box.low);
  return surface;
}

Surface OnSide(Texture texture, const Box& box, Color base, Color accent) {
  Surface surface = OnFront(texture, box, base, accent);
  surface.plane = Plane::kSide;
  surface.offset = box.left >= 0 ? box.left : box.right;
  surface.origin = cv::Point2f(box.near, box.low);
  surface.extent = cv::Point2f(box.far - box.near, box.high - box.low);
  return surface;
}

Surface Flat(Color color) {
  Surface surface;
  surface.base = color;
  return surface;
}

// A rectangle on the front of a box, in parts of the box's width and height.
Polygon OnFace(const Camera& camera, const Box& box, double left, double low,
               double right, double high) {
  Box part = box;
  const double width = box.right - box.left;
  const double height = box.high - box.low;
  part.left = box.left + left * width;
  part.right = box.left + right * width;
  part.low = box.low + low * height;
  part.high = box.low + high * height;
  return FrontFace(camera, part);
}

constexpr ColorRange kGlassColors = {{0, 1}, {0, 0.3}, {0.12, 0.4}};

// Two lamps at the edges of a face.
void AddLamps(const Camera& camera, const Box& box, double low, double high,
              bool back, Drawing& car, SceneRandom& random) {
  const Color color =
      back ? Color{0.75f, 0.08f, 0.06f} : Color{0.95f, 0.95f, 0.88f};
  const double width = random.Uniform(0.13, 0.22);
  car.details.push_back(
      {OnFace(camera, box, 0.03, low, 0.03 + width, high), Flat(color)});
  car.details.push_back(
      {OnFace(camera, box, 0.97 - width, low, 0.97, high), Flat(color)});
}

// A wheel on the visible side of a box, with its hub at depth z.
void AddSideWheel(const Camera& camera, const Box& box, double z, double radius,
                  Color rim, Drawing& drawing) {
  const double x = box.left >= 0 ? box.left : box.right;
  const cv::Point2d hub = camera.Project(x, radius, z);
  const double radius_y = radius * camera.Scale(z);
  const double radius_x = std::abs(camera.Project(x, 0, z - radius).x -
                                   camera.Project(x, 0, z + radius).x) *
                          0.5;
  Surface surface;
  surface.texture = Texture::kWheel;
  surface.base = rim;
  surface.accent = 0.3f * rim;
  surface.origin = cv::Point2f(hub.x / camera.height, hub.y / camera.height);
  surface.cell = cv::Point2f(std::max(radius_x, 0.5) / camera.height,
                             std::max(radius_y, 0.5) / camera.height);
  AddPart(drawing, Ellipse(hub, radius_x, radius_y, 24), surface);
}

}  // namespace

std::vector<Drawing> MakeCar(const Camera& camera, const Place& place,
                             const Palette& palette, SceneRandom& random) {
  const double s = place.scale;
  const double half = 0.9 * s;
  const bool van = random.Chance(0.25);
  const double waist = random.Uniform(0.82, 0.95) * s;
  const double roof =
      (van ? random.Uniform(1.75, 1.95) : random.Uniform(1.4, 1.55)) * s;
  const double length = random.Uniform(3.9, 4.6) * s;
  const bool back = place.x > -0.5;  // Traffic keeps to the right.
  const Color color = palette.Draw(kCarColors, random);
  const Color glass = DrawColor(kGlassColors, random);
  const Color rim = FromHsv(0, 0, random.Uniform(0.4, 0.8));

  const Box body = {place.x - half, place.x + half, 0.2 * s,
                    waist,          place.z,        place.z + length};
  // The cabin is narrower above; its front face leans back.
  Box cabin = {place.x - half * 0.86,
               place.x + half * 0.86,
               waist,
               roof,
               place.z + (back ? (van ? 0.05 : 0.35) : 1.1) * s,
               place.z + length - (back ? 1.1 : 0.35) * s};
  const double cabin_top = half * 0.72;

  Drawing car;
  car.label = "car";
  car.depth = place.z;
  car.surface = OnFront(Texture::kPaint, body, color, color);
  car.shadow = Shadow(camera, body);
  car.parts.push_back(Silhouette(camera, body));
  const double top_near = cabin.near + 0.45 * s;
  const double top_far = cabin.far - 0.4 * s;
  Polygon cabin_points;
  for (const int side : {-1, 1}) {
    cabin_points.push_back(
        camera.Project(place.x + side * half * 0.86, waist, cabin.near));
    cabin_points.push_back(
        camera.Project(place.x + side * half * 0.86, waist, cabin.far));
    cabin_points.push_back(
        camera.Project(place.x + side * cabin_top, roof, top_near));
    cabin_points.push_back(
        camera.Project(place.x + side * cabin_top, roof, top_far));
  }
  car.parts.push_back(ConvexHull(cabin_points));

  const float flank = random.Uniform(0.62, 1.0);
  // Roof and bonnet reflect the sky.
  Surface top = Flat(1.15f * color);
  car.details.push_back({car.parts[1], top});
  car.details.push_back({TopFace(camera, body), top});
  const Polygon side = SideFace(camera, body);
  if (!side.empty()) {
    Surface paint = OnSide(Texture::kPaint, body, color, color);
    paint.light = flank;
    car.details.push_back({side, paint});
    const int facing = place.x > 0 ? -1 : 1;
    const double at_waist = place.x + facing * half * 0.86;
    const double at_roof = place.x + facing * half * 0.74;
    const double window_roof = waist + 0.85 * (roof - waist);
    const double middle = 0.5 * (cabin.near + cabin.far);
    Surface pane = OnSide(Texture::kGlass, cabin, color, glass);
    const auto window = [&](double near, double far, double lean_near,
                            double lean_far) {
      car.details.push_back(
          {{camera.Project(at_waist, waist + 0.05 * s, near),
            camera.Project(at_roof, window_roof, near + lean_near),
            camera.Project(at_roof, window_roof, far - lean_far),
            camera.Project(at_waist, waist + 0.05 * s, far)},
           pane});
    };
    window(cabin.near + 0.25 * s, middle - 0.06 * s, 0.4 * s, 0);
    window(middle + 0.06 * s, cabin.far - 0.25 * s, 0, 0.4 * s);
  }
  // The windscreen.
  Surface screen = OnFront(Texture::kGlass, cabin, color, glass);
  car.details.push_back(
      {{camera.Project(place.x - half * 0.8, waist + 0.02 * s, cabin.near),
        camera.Project(place.x + half * 0.8, waist + 0.02 * s, cabin.near),
        camera.Project(place.x + half * 0.64, roof - 0.1 * s,
                       top_near - 0.06 * s),
        camera.Project(place.x - half * 0.64, roof - 0.1 * s,
                       top_near - 0.06 * s)},
       screen});
  car.details.push_back(
      {FrontFace(camera, body), OnFront(Texture::kPaint, body, color, color)});
  // Bumper, lamps and what is between.
  car.details.push_back(
      {OnFace(camera, body, 0, 0, 1, 0.28), Flat(0.35f * color)});
  AddLamps(camera, body, 0.58, 0.85, back, car, random);
  if (!back) {
    car.details.push_back({OnFace(camera, body, 0.3, 0.42, 0.7, 0.66),
                           Flat({0.08f, 0.08f, 0.09f})});
  }
  // Wheels: two from behind, two on the side.
  const double radius = 0.33 * s;
  if (!side.empty()) {
    AddSideWheel(camera, body, place.z + 0.8 * s, radius, rim, car);
    AddSideWheel(camera, body, place.z + length - 0.8 * s, radius, rim, car);
  }
  for (const double x : {body.left + 0.03 * s, body.right - 0.25 * s}) {
    const Box tyre = {x, x + 0.22 * s, 0, 0.34 * s, place.z, place.z};
    AddPart(car, FrontFace(camera, tyre), Flat(kTyre));
  }
  // The tyres are partly behind the bumper.
  car.details.push_back(
      {OnFace(camera, body, 0, 0.12, 1, 0.28), Flat(0.35f * color)});

  std::vector<Drawing> drawings;
  const Polygon plate = OnFace(camera, body, 0.36, 0.3, 0.64, 0.46);
  car.details.push_back({plate, Flat({0.85f, 0.85f, 0.8f})});
  drawings.push_back(std::move(car));
  if ((plate[2].y - plate[0].y) > 0.012 * camera.height) {
    Drawing label;
    label.label = "license plate";
    label.parts = {plate};
    label.depth = place.z;
    drawings.push_back(std::move(label));
  }
  return drawings;
}

Drawing MakeCrossingCar(const Camera& camera, const Place& place,
                        const Palette& palette, SceneRandom& random) {
  const double s = place.scale;
  const double length = random.Uniform(3.9, 4.5) * s;
  const double waist = random.Uniform(0.82, 0.92) * s;
  const double roof = random.Uniform(1.4, 1.52) * s;
  const int ahead = random.Sign();  // Which way it drives.
  const Color color = palette.Draw(kCarColors, random);
  const Color glass = DrawColor(kGlassColors, random);
  const Color rim = FromHsv(0, 0, random.Uniform(0.4, 0.8));
  // t: 0 at the tail, 1 at the nose.
  const auto at = [&](double t, double y) {
    return camera.Project(place.x + ahead * (t - 0.5) * length, y, place.z);
  };
  const Box body = {
      place.x - 0.5 * length, place.x + 0.5 * length, 0.2 * s, waist, place.z,
      place.z + 1.8 * s};
  Box whole = body;
  whole.high = roof;
  Drawing car;
  car.label = "car";
  car.depth = place.z;
  car.shadow = Shadow(camera, body);
  car.surface = OnFront(Texture::kPaint, whole, color, color);
  car.parts.push_back({at(0, 0.28 * s), at(0.01, waist), at(0.12, waist),
                       at(0.2, roof - 0.03 * s), at(0.3, roof), at(0.55, roof),
                       at(0.72, waist + 0.05 * s), at(0.97, waist - 0.16 * s),
                       at(1, 0.5 * s), at(0.99, 0.22 * s), at(0.02, 0.22 * s)});
  Surface pane = OnFront(Texture::kGlass, whole, color, glass);
  const double top = roof - 0.1 * s;
  car.details.push_back({{at(0.17, waist + 0.02 * s), at(0.225, top),
                          at(0.41, top), at(0.41, waist + 0.02 * s)},
                         pane});
  car.details.push_back({{at(0.44, waist + 0.02 * s), at(0.44, top),
                          at(0.54, top), at(0.67, waist + 0.02 * s)},
                         pane});
  car.details.push_back({{at(0.005, 0.22 * s), at(0.005, 0.36 * s),
                          at(0.995, 0.36 * s), at(0.995, 0.22 * s)},
                         Flat(0.4f * color)});
  for (const double t : {0.42, 0.68}) {  // Gaps beside the front door.
    car.details.push_back({{at(t, 0.36 * s), at(t, waist), at(t + 0.008, waist),
                            at(t + 0.008, 0.36 * s)},
                           Flat(0.5f * color)});
  }
  car.details.push_back({{at(0.93, 0.55 * s), at(0.93, 0.68 * s),
                          at(1, 0.68 * s), at(1, 0.55 * s)},
                         Flat({0.95f, 0.95f, 0.85f})});
  car.details.push_back(
      {{at(0, 0.6 * s), at(0, 0.78 * s), at(0.04, 0.78 * s), at(0.04, 0.6 * s)},
       Flat({0.75f, 0.08f, 0.06f})});
  for (const double t : {0.19, 0.81}) {
    const double radius = 0.34 * s;
    const cv::Point2d hub = at(t, radius);
    const double pixels = radius * camera.Scale(place.z);
    Surface wheel;
    wheel.texture = Texture::kWheel;
    wheel.base = rim;
    wheel.accent = 0.3f * rim;
    wheel.origin = cv::Point2f(hub.x / camera.height, hub.y / camera.height);
    wheel.cell = cv::Point2f(pixels / camera.height, pixels / camera.height);
    AddPart(car, Ellipse(hub, pixels, pixels, 24), wheel);
  }
  return car;
}

Drawing MakeBoxVehicle(const char* label, const Camera& camera,
                       const Place& place, const Palette& palette,
                       SceneRandom& random) {
  const std::string kind = label;
  const double s = place.scale;
  const bool truck = kind == "truck";
  const bool train = kind == "train";
  const bool caravan = kind == "caravan";
  const double half = (caravan ? 1.1 : 1.3) * s;
  const double roof = caravan ? 2.4 * s : random.Uniform(3.0, 3.4) * s;
  const double length = (train     ? random.Uniform(22, 30)
                         : caravan ? 5
                                   : random.Uniform(8, 12)) *
                        s;
  const bool back = place.x > -0.5;
  const Color color = palette.Draw(kVividColors, random);
  const Color glass = DrawColor(kGlassColors, random);
  const Box box = {place.x - half, place.x + half, (train ? 0.15 : 0.35) * s,
                   roof,           place.z,        place.z + length};
  Drawing drawing;
  drawing.label = kind;
  drawing.depth = place.z;
  drawing.shadow = Shadow(camera, box);
  drawing.surface = OnFront(Texture::kPaint, box, color, color);
  drawing.parts.push_back(Silhouette(camera, box));
  const Polygon side = SideFace(camera, box);
  if (!side.empty()) {
    Surface flank =
        OnSide(truck ? Texture::kCargo : Texture::kCoach, box, color, glass);
    flank.cell = truck ? cv::Point2f(0.5f * s, 1) : cv::Point2f(1.5f * s, 1);
    flank.light = random.Uniform(0.65, 1.0);
    flank.seed = static_cast<uint32_t>(random.Next());
    drawing.details.push_back({side, flank});
  }
  const Color dark = {0.07f, 0.07f, 0.08f};
  const Polygon face = FrontFace(camera, box);
  Surface pane = OnFront(Texture::kGlass, box, color, glass);
  if (truck && back) {
    // Two doors.
    Surface cargo = OnFront(Texture::kCargo, box, color, color);
    cargo.cell = cv::Point2f(0.42f * s, 1);
    drawing.details.push_back({face, cargo});
    drawing.details.push_back(
        {OnFace(camera, box, 0.485, 0.16, 0.515, 0.95), Flat(0.3f * color)});
    for (const double x : {0.4, 0.57}) {
      drawing.details.push_back(
          {OnFace(camera, box, x, 0.45, x + 0.03, 0.62), Flat(dark)});
    }
  } else {
    drawing.details.push_back({face, drawing.surface});
    drawing.details.push_back({OnFace(camera, box, 0.07, truck ? 0.42 : 0.36,
                                      0.93, truck ? 0.66 : 0.8),
                               pane});
    if (!caravan) {  // Pillar, then the board with line or make.
      drawing.details.push_back(
          {OnFace(camera, box, 0.485, 0.36, 0.515, 0.8), Flat(0.5f * color)});
      drawing.details.push_back(
          {OnFace(camera, box, 0.2, 0.85, 0.8, 0.95), Flat(dark)});
      for (double x = 0.28; x < 0.7; x += 0.12) {
        drawing.details.push_back(
            {OnFace(camera, box, x, 0.875, x + 0.07, 0.925),
             Flat({0.95f, 0.75f, 0.25f})});
      }
    }
  }
  drawing.details.push_back(
      {OnFace(camera, box, 0, 0, 1, 0.09), Flat(0.35f * color)});
  AddLamps(camera, box, 0.13, 0.21, back, drawing, random);
  const double radius = 0.5 * s;
  const Color rim = FromHsv(0, 0, random.Uniform(0.35, 0.7));
  if (!side.empty() && !train) {
    AddSideWheel(camera, box, place.z + 1.9 * s, radius, rim, drawing);
    AddSideWheel(camera, box, place.z + length - 2.0 * s, radius, rim, drawing);
  }
  for (const double x : {box.left + 0.05 * s, box.right - 0.4 * s}) {
    const Box tyre = {x, x + 0.35 * s, 0, 0.4 * s, place.z, place.z};
    if (!train) AddPart(drawing, FrontFace(camera, tyre), Flat(kTyre));
  }
  return drawing;
}

}  // namespace mask2former
