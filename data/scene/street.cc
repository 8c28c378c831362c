#include "mask2former/data/scene/street.h"

#include <algorithm>
#include <utility>

namespace mask2former {
namespace {

constexpr ColorRange kSkyColors = {{0.52, 0.64}, {0.1, 0.5}, {0.65, 0.95}};
constexpr ColorRange kRoadColors = {{0, 1}, {0, 0.1}, {0.3, 0.55}};
constexpr ColorRange kSidewalkColors = {{0, 0.15}, {0, 0.2}, {0.45, 0.75}};
constexpr ColorRange kGrassColors = {{0.15, 0.32}, {0.3, 0.6}, {0.4, 0.75}};
constexpr ColorRange kHouseColors = {{0.0, 0.14}, {0.1, 0.5}, {0.4, 0.85}};
constexpr ColorRange kWindowColors = {{0, 1}, {0, 0.35}, {0.1, 0.4}};
constexpr ColorRange kLeafColors = {{0.2, 0.4}, {0.25, 0.6}, {0.25, 0.55}};

// The part of the ground between two X, from the picture's lower edge to the
// end of the street.
Polygon GroundStrip(const Street& street, double left, double right) {
  const Camera& camera = street.camera;
  return {camera.Project(left, 0, street.far),
          camera.Project(right, 0, street.far),
          camera.Project(right, 0, street.near),
          camera.Project(left, 0, street.near)};
}

Surface OnGround(Texture texture, Color base, SceneRandom& random) {
  Surface surface;
  surface.texture = texture;
  surface.plane = Plane::kGround;
  surface.base = base;
  surface.accent = Mix(base, FromHsv(random.Uniform(0, 1), 0.5, 0.8), 0.35f);
  surface.seed = static_cast<uint32_t>(random.Next());
  return surface;
}

Drawing Ground(const char* label, Polygon polygon, const Surface& surface) {
  Drawing drawing;
  drawing.label = label;
  drawing.parts.push_back(std::move(polygon));
  drawing.surface = surface;
  return drawing;
}

void AddMarking(const Street& street, double left, double right, double near,
                double far, Color color, Drawing& road) {
  const Camera& camera = street.camera;
  Surface paint;
  paint.texture = Texture::kAsphalt;
  paint.plane = Plane::kGround;
  paint.base = color;
  road.details.push_back(
      {{camera.Project(left, 0, near), camera.Project(right, 0, near),
        camera.Project(right, 0, far), camera.Project(left, 0, far)},
       paint});
}

Drawing MakeRoad(const Street& street, const Palette& palette,
                 SceneRandom& random) {
  const double left = -street.sides[0].curb;
  const double right = street.sides[1].curb;
  const Color base = palette.Draw(kRoadColors, random);
  Drawing road = Ground("road", GroundStrip(street, left, right),
                        OnGround(Texture::kAsphalt, base, random));
  const Color white = Luminance(base) > 0.6f
                          ? 0.35f * base
                          : Mix({0.95f, 0.95f, 0.92f}, base, 0.15f);
  const double middle = 0.5 * (left + right) + random.Uniform(-0.4, 0.4);
  const double dash = random.Uniform(2.0, 3.5);
  for (double z = random.Uniform(0, dash) + street.near; z < street.far;
       z += 2 * dash) {
    AddMarking(street, middle - 0.09, middle + 0.09, z, z + dash, white, road);
  }
  if (random.Chance(0.6)) {
    for (const double x : {left + 0.35, right - 0.35}) {
      AddMarking(street, x - 0.07, x + 0.07, street.near, street.far, white,
                 road);
    }
  }
  if (random.Chance(0.35)) {  // A zebra crossing.
    const double near = random.Uniform(8, 16);
    for (double x = left + 0.6; x + 0.5 < right - 0.3; x += 1.0) {
      AddMarking(street, x, x + 0.5, near, near + 3, white, road);
    }
  }
  return road;
}

// A facade's windows, floors and colours; the plane is set by the caller.
Surface FacadeSurface(const Palette& palette, double house_height,
                      SceneRandom& random) {
  Surface surface;
  surface.texture = Texture::kFacade;
  surface.base = palette.Draw(kHouseColors, random);
  surface.accent = DrawColor(kWindowColors, random);
  if (Luminance(surface.base) < 0.32f) {  // Light panes in dark walls.
    surface.accent = Mix(surface.accent, {0.95f, 0.92f, 0.8f}, 0.75f);
  }
  surface.seed = static_cast<uint32_t>(random.Next());
  const float bay = random.Uniform(2.0, 3.0);
  const float story = random.Uniform(2.6, 3.2);
  surface.cell = cv::Point2f(bay, story);
  surface.extent = cv::Point2f(1, house_height);
  return surface;
}

Drawing House(const Camera& camera, Polygon polygon, const Surface& surface,
              double depth) {
  Drawing house;
  house.label = "building";
  house.parts.push_back(std::move(polygon));
  house.surface = surface;
  house.depth = depth;
  return house;
}

StreetSide PlanSide(int sign, SceneRandom& random) {
  StreetSide side;
  side.sign = sign;
  side.curb = random.Uniform(2.7, 4.3);
  const bool has_verge = random.Chance(0.6);
  const bool has_garden = !has_verge || random.Chance(0.3);
  side.verge = {side.curb,
                side.curb + (has_verge ? random.Uniform(1.8, 3.0) : 0)};
  side.sidewalk = {side.verge.to, side.verge.to + random.Uniform(2.8, 4.2)};
  side.garden = {
      side.sidewalk.to,
      side.sidewalk.to + (has_garden ? random.Uniform(2.0, 4.0) : 0)};
  side.facade = side.garden.to + 0.05;
  return side;
}

}  // namespace

Street PlanStreet(int height, int width, SceneRandom& random) {
  Street street;
  Camera& camera = street.camera;
  camera.height = height;
  camera.width = width;
  camera.focal = height * random.Uniform(0.95, 1.15);
  camera.horizon_x = width * random.Uniform(0.4, 0.6);
  camera.horizon_y = height * random.Uniform(0.38, 0.46);
  camera.elevation = random.Uniform(1.6, 2.1);
  street.near =
      0.95 * camera.focal * camera.elevation / (height - camera.horizon_y);
  street.far = random.Uniform(55, 75);
  street.sides[0] = PlanSide(-1, random);
  street.sides[1] = PlanSide(1, random);
  return street;
}

std::vector<Drawing> MakeBackdrop(const Street& street, const Palette& palette,
                                  SceneRandom& random) {
  const Camera& camera = street.camera;
  std::vector<Drawing> drawings;
  const double horizon = camera.Project(0, 0, street.far).y;

  Surface sky;
  sky.texture = Texture::kSky;
  sky.base = palette.Draw(kSkyColors, random);
  sky.accent = Mix(sky.base, {0.95f, 0.9f, 0.85f}, random.Uniform(0.3, 0.7));
  sky.seed = static_cast<uint32_t>(random.Next());
  sky.origin = cv::Point2f(random.Uniform(0, 50), 0);
  sky.extent = cv::Point2f(1, camera.horizon_y / camera.height);
  sky.cell = cv::Point2f(random.Uniform(0.35, 0.7), 0);  // Cloud cover.
  drawings.push_back(
      Ground("sky", Rectangle(0, 0, camera.width, horizon), sky));

  // Beyond the gardens, grass.
  const Color grass = palette.Draw(kGrassColors, random);
  drawings.push_back(Ground("terrain",
                            Rectangle(0, horizon, camera.width, camera.height),
                            OnGround(Texture::kGrass, grass, random)));
  drawings.push_back(MakeRoad(street, palette, random));
  const size_t after_road = drawings.size();
  const Color pavement = palette.Draw(kSidewalkColors, random);
  const float slab = random.Uniform(0.7, 1.1);
  for (const StreetSide& side : street.sides) {
    const auto strip = [&](const Strip& s) {
      return side.sign < 0 ? GroundStrip(street, -s.to, -s.from)
                           : GroundStrip(street, s.from, s.to);
    };
    if (side.verge.to > side.verge.from) {
      drawings.push_back(Ground("terrain", strip(side.verge),
                                OnGround(Texture::kGrass, grass, random)));
    }
    Surface paving = OnGround(Texture::kPaving, pavement, random);
    paving.cell = cv::Point2f(slab, slab);
    paving.origin = cv::Point2f(side.sign * side.sidewalk.from, 0);
    Drawing sidewalk = Ground("sidewalk", strip(side.sidewalk), paving);
    // The curb stone, lighter.
    Surface curb;
    curb.texture = Texture::kAsphalt;
    curb.plane = Plane::kGround;
    curb.base = 1.2f * pavement;
    sidewalk.details.push_back(
        {strip({side.sidewalk.from, side.sidewalk.from + 0.18}), curb});
    drawings.push_back(std::move(sidewalk));
  }

  if (random.Chance(0.5)) {  // Houses cast their shadow on the road.
    const StreetSide& side = street.sides[random.Integer(0, 1)];
    const double reach = random.Uniform(0.15, 0.9) * side.curb;
    const double a = side.sign * side.curb;
    const double b = side.sign * (side.curb - reach);
    drawings[after_road].shadow =
        GroundStrip(street, std::min(a, b), std::max(a, b));
  }

  // The end of the street: houses side by side, trees before some.
  double left = camera.Project(-street.sides[0].facade - 6, 0, street.far).x;
  const double end =
      camera.Project(street.sides[1].facade + 6, 0, street.far).x;
  while (left < end) {
    const double width = random.Uniform(5, 11) * camera.Scale(street.far);
    const double house_height = random.Uniform(5, 11);
    Surface facade = FacadeSurface(palette, house_height, random);
    facade.plane = Plane::kFront;
    facade.offset = street.far;
    const double top = camera.Project(0, house_height, street.far).y;
    if (random.Chance(0.75)) {
      drawings.push_back(House(camera,
                               Rectangle(left, top, left + width, horizon),
                               facade, street.far));
    } else {
      Drawing trees;
      trees.label = "vegetation";
      trees.surface.texture = Texture::kLeaves;
      trees.surface.base = palette.Draw(kLeafColors, random);
      trees.surface.accent = 1.2f * trees.surface.base;
      trees.surface.seed = static_cast<uint32_t>(random.Next());
      trees.surface.cell = cv::Point2f(0.017f, 0.017f);
      trees.surface.extent = cv::Point2f(1, 1);
      trees.parts.push_back(
          Rectangle(left, 0.5 * (top + horizon), left + width, horizon));
      for (int i = 0; i < 4; ++i) {
        trees.parts.push_back(
            Ellipse({left + width * (i + 0.5) / 4, 0.5 * (top + horizon)},
                    0.2 * width, random.Uniform(0.2, 0.5) * (horizon - top)));
      }
      drawings.push_back(std::move(trees));
    }
    left += width;
  }
  return drawings;
}

std::vector<Drawing> MakeHouses(const Street& street, const Palette& palette,
                                SceneRandom& random) {
  const Camera& camera = street.camera;
  std::vector<Drawing> drawings;
  for (const StreetSide& side : street.sides) {
    const double x = side.sign * side.facade;
    double far = street.far;
    while (far > 2.5) {
      double near = std::max(1.5, far - random.Uniform(7, 16));
      if (near < 4) near = 1.5;
      const double house_height = random.Uniform(5.5, 11);
      Surface facade = FacadeSurface(palette, house_height, random);
      // The face towards the camera shows above lower houses and in gaps.
      Surface face = facade;
      face.plane = Plane::kFront;
      face.offset = near;
      face.light = random.Uniform(0.7, 1.1);
      face.origin = cv::Point2f(x, 0);
      const cv::Point2d low = camera.Project(x, 0, near);
      const cv::Point2d high =
          camera.Project(x + side.sign * 9, house_height, near);
      drawings.push_back(House(camera,
                               Rectangle(std::min(low.x, high.x), high.y,
                                         std::max(low.x, high.x), low.y),
                               face, near + 0.02));
      facade.plane = Plane::kSide;
      facade.offset = x;
      facade.origin = cv::Point2f(near, 0);
      facade.extent.x = far - near;
      drawings.push_back(House(
          camera,
          {camera.Project(x, 0, near), camera.Project(x, house_height, near),
           camera.Project(x, house_height, far), camera.Project(x, 0, far)},
          facade, near + 0.01));
      far = near;
      if (random.Chance(0.3)) far -= random.Uniform(3, 7);
    }
  }
  return drawings;
}

}  // namespace mask2former
