#include "mask2former/data/scene/scene.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/scene/color.h"
#include "mask2former/data/scene/drawing.h"
#include "mask2former/data/scene/placement.h"
#include "mask2former/data/scene/polygon.h"
#include "mask2former/data/scene/random.h"
#include "mask2former/data/scene/rasterize.h"
#include "mask2former/data/scene/render.h"
#include "mask2former/data/scene/street.h"

namespace mask2former {
namespace {

absl::Status CheckRange(absl::string_view name, double value, double low,
                        double high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " must be in ", low, "..", high, ", got ", value));
}

// What lies before the street: the hood of the own car, and a border without
// picture.
std::vector<Drawing> MakeVoid(const Camera& camera, double probability,
                              SceneRandom& random) {
  std::vector<Drawing> drawings;
  const double height = camera.height;
  const double width = camera.width;
  if (random.Chance(probability)) {
    Drawing hood;
    hood.label = "ego vehicle";
    const double rise = random.Uniform(0.04, 0.08) * height;
    const cv::Point2d middle(width * random.Uniform(0.45, 0.55), height);
    hood.parts.push_back(Ellipse(middle, 0.5 * width, rise, 48));
    hood.surface.texture = Texture::kPaint;
    hood.surface.base = DrawColor(kSharedColors, random);
    hood.surface.origin = cv::Point2f(0, 1);
    hood.surface.extent = cv::Point2f(1, -rise / height);
    drawings.push_back(std::move(hood));
  }
  if (random.Chance(probability)) {
    const double edge = random.Uniform(0.008, 0.02) * height;
    for (const double left : {0.0, width - 1 - edge}) {
      Drawing border;
      border.label = left == 0 ? "rectification border" : "out of roi";
      border.parts.push_back(Rectangle(left, 0, left + edge, height - 1));
      border.surface.texture = Texture::kVoid;
      border.surface.base = {0.04f, 0.04f, 0.04f};
      drawings.push_back(std::move(border));
    }
  }
  return drawings;
}

void Append(std::vector<Drawing> more, std::vector<Drawing>& all) {
  for (Drawing& drawing : more) all.push_back(std::move(drawing));
}

}  // namespace

absl::Status CheckSceneOptions(const SceneOptions& options) {
  M2F_RETURN_IF_ERROR(CheckRange("height", options.height, kMinimumSceneSize,
                                 kMaximumSceneSize));
  M2F_RETURN_IF_ERROR(
      CheckRange("width", options.width, kMinimumSceneSize, kMaximumSceneSize));
  M2F_RETURN_IF_ERROR(CheckRange("density", options.density, 0, 4));
  M2F_RETURN_IF_ERROR(
      CheckRange("minimum_size", options.minimum_size, 0.002, 0.2));
  M2F_RETURN_IF_ERROR(
      CheckRange("natural_colors", options.natural_colors, 0, 1));
  M2F_RETURN_IF_ERROR(CheckRange("rare_classes", options.rare_classes, 0, 1));
  return CheckRange("void_areas", options.void_areas, 0, 1);
}

Scene MakeScene(const SceneOptions& options, uint64_t seed) {
  const absl::Status valid = CheckSceneOptions(options);
  CHECK(valid.ok()) << valid.ToString();
  // A stream for each part, so that a change in one leaves the others.
  SceneRandom random(seed);
  SceneRandom plan = random.Fork();
  SceneRandom backdrop = random.Fork();
  SceneRandom houses = random.Fork();
  SceneRandom objects = random.Fork();
  SceneRandom borders = random.Fork();
  SceneRandom film = random.Fork();

  const Palette palette(options.natural_colors);
  const Street street = PlanStreet(options.height, options.width, plan);
  std::vector<Drawing> drawings = MakeBackdrop(street, palette, backdrop);
  Append(MakeHouses(street, palette, houses), drawings);
  Append(PlaceObjects(street, options, palette, objects), drawings);
  Append(MakeVoid(street.camera, options.void_areas, borders), drawings);

  std::vector<OutlinedDrawing> outlined;
  Scene scene;
  for (Drawing& drawing : drawings) {
    OutlinedDrawing item;
    item.outline = TraceOutline(drawing.parts, options.height, options.width);
    if (item.outline.size() < 3) continue;
    scene.objects.push_back({drawing.label, item.outline});
    if (drawing.label == "license plate") continue;  // A detail of its car.
    item.drawing = std::move(drawing);
    outlined.push_back(std::move(item));
  }
  scene.image = RenderPicture(outlined, street.camera, film);
  LabelImages labels =
      RasterizeObjects(scene.objects, options.height, options.width);
  scene.label_ids = std::move(labels.label_ids);
  scene.instance_ids = std::move(labels.instance_ids);
  return scene;
}

}  // namespace mask2former
