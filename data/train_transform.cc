#include "mask2former/data/train_transform.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/polygons/clip.h"
#include "mask2former/data/transforms/color.h"
#include "mask2former/data/transforms/crop.h"
#include "mask2former/data/transforms/flip.h"
#include "mask2former/data/transforms/nearest_resize.h"
#include "mask2former/data/transforms/pad.h"
#include "mask2former/data/transforms/pil_resize.h"

namespace mask2former {
namespace {

constexpr int64_t kOfficialSizes[] = {512,  614,  716,  819,  921,  1024,
                                      1126, 1228, 1331, 1433, 1536, 1638,
                                      1740, 1843, 1945, 2048};
constexpr int kCropTries = 10;
constexpr uint8_t kPaddingGray = 128;
// Beyond any picture; keeps positions exact in float.
constexpr int64_t kLargestEdge = 1 << 16;

absl::Status CheckRange(absl::string_view field, int64_t value, int64_t low) {
  if (value >= low && value <= kLargestEdge) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("data.input.", field, " must be ", low, " .. ", kLargestEdge,
                   ", got ", value));
}

// Mirrors and pads what was cut out.
cv::Mat Finished(cv::Mat map, const TrainView& view, uint8_t padding) {
  if (view.flipped) FlipHorizontally(map);
  if (map.rows == view.padded.height && map.cols == view.padded.width) {
    return map;
  }
  return PadTo(map, view.padded, padding);
}

}  // namespace

cv::Mat TrainView::MapLabel(const cv::Mat& label, uint8_t padding) const {
  return Finished(ResizeNearest(label, resized, crop), *this, padding);
}

cv::Mat TrainView::MapSegments(const cv::Mat& map) const {
  return Finished(ResizeNearestCentre(map, resized, crop), *this, 0);
}

absl::StatusOr<std::vector<Polygon>> TrainView::MapPolygon(
    const Polygon& polygon) const {
  const double scale_x =
      static_cast<double>(resized.width) / static_cast<double>(original.width);
  const double scale_y = static_cast<double>(resized.height) /
                         static_cast<double>(original.height);
  Polygon scaled;
  scaled.reserve(polygon.size());
  cv::Point2d low(crop.br());
  cv::Point2d high(crop.tl());
  for (const cv::Point2d& p : polygon) {
    scaled.emplace_back(p.x * scale_x, p.y * scale_y);
    low.x = std::min(low.x, scaled.back().x);
    low.y = std::min(low.y, scaled.back().y);
    high.x = std::max(high.x, scaled.back().x);
    high.y = std::max(high.y, scaled.back().y);
  }
  // Most polygons of a picture are outside its crop.
  if (low.x >= crop.br().x || low.y >= crop.br().y || high.x <= crop.x ||
      high.y <= crop.y) {
    return std::vector<Polygon>();
  }
  M2F_ASSIGN_OR_RETURN(std::vector<Polygon> parts,
                       ClipPolygon(scaled, cv::Rect2d(crop)));
  for (Polygon& part : parts) {
    for (cv::Point2d& p : part) {
      p.x -= crop.x;
      p.y -= crop.y;
      if (flipped) p.x = crop.width - p.x;
    }
  }
  return parts;
}

absl::StatusOr<TrainTransform> TrainTransform::Create(
    const InputConfig& config) {
  std::vector<int64_t> sizes(config.min_size_train().begin(),
                             config.min_size_train().end());
  if (sizes.empty()) {
    sizes.assign(std::begin(kOfficialSizes), std::end(kOfficialSizes));
  }
  for (const int64_t size : sizes) {
    M2F_RETURN_IF_ERROR(CheckRange("min_size_train", size, 1));
  }
  M2F_RETURN_IF_ERROR(CheckRange("max_size_train", config.max_size_train(), 1));
  M2F_RETURN_IF_ERROR(CheckRange("crop_height", config.crop_height(), 1));
  M2F_RETURN_IF_ERROR(CheckRange("crop_width", config.crop_width(), 1));
  if (!(config.single_category_max_area() > 0.0f &&
        config.single_category_max_area() <= 1.0f)) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.input.single_category_max_area must be in (0, 1], "
                     "got ",
                     config.single_category_max_area()));
  }
  if (!(config.flip_probability() >= 0.0f &&
        config.flip_probability() <= 1.0f)) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.input.flip_probability must be in [0, 1], got ",
                     config.flip_probability()));
  }
  if (config.size_divisibility() != -1) {
    M2F_RETURN_IF_ERROR(CheckRange("size_divisibility (or -1, none)",
                                   config.size_divisibility(), 1));
  }
  return TrainTransform(config, std::move(sizes));
}

TrainTransform::TrainTransform(const InputConfig& config,
                               std::vector<int64_t> sizes)
    : config_(config), sizes_(std::move(sizes)) {}

absl::StatusOr<TransformedImage> TrainTransform::Apply(
    const cv::Mat& image, const std::string& name, SampleRandom& random,
    const std::function<cv::Mat()>& labels) const {
  TrainView view;
  view.original = {image.rows, image.cols};
  view.resized = ResizedSize(
      view.original,
      sizes_[random.Integer(0, static_cast<int64_t>(sizes_.size()) - 1)],
      config_.max_size_train());
  const ImageSize crop_size{config_.crop_height(), config_.crop_width()};
  view.crop = DrawCrop(view.resized, crop_size, random);
  const double max_share = config_.single_category_max_area();
  // A share of 1 means that every crop will do, also one of a single class.
  if (max_share < 1.0 && labels != nullptr) {
    const cv::Mat label = labels();
    for (int tries = 1;
         tries < kCropTries &&
         !IsVariedCrop(ResizeNearest(label, view.resized, view.crop),
                       max_share);
         ++tries) {
      view.crop = DrawCrop(view.resized, crop_size, random);
    }
  }
  TransformedImage result;
  result.image = PilResizeBilinear(image, view.resized, view.crop);
  if (config_.color_augmentation() == InputConfig::SSD) {
    ApplyColorJitter(DrawColorJitter(random), result.image);
  }
  view.flipped = random.Coin(config_.flip_probability());
  view.padded = {view.crop.height, view.crop.width};
  if (config_.size_divisibility() > 0) {
    const int64_t edge = config_.size_divisibility();
    if (view.crop.height > edge || view.crop.width > edge) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ": its crop of ", view.crop.height, " x ", view.crop.width,
          " is larger than data.input.size_divisibility, ", edge,
          "; raise it or lower data.input.crop_height and crop_width"));
    }
    view.padded = {edge, edge};
  }
  result.image = Finished(result.image, view, kPaddingGray);
  result.view = view;
  return result;
}

}  // namespace mask2former
