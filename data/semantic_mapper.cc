#include "mask2former/data/semantic_mapper.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/data/mask_targets.h"
#include "mask2former/data/transforms/color.h"
#include "mask2former/data/transforms/crop.h"
#include "mask2former/data/transforms/flip.h"
#include "mask2former/data/transforms/nearest_resize.h"
#include "mask2former/data/transforms/pad.h"
#include "mask2former/data/transforms/pil_resize.h"
#include "mask2former/data/transforms/resized_size.h"

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

}  // namespace

absl::StatusOr<std::unique_ptr<SemanticMapper>> SemanticMapper::Create(
    const InputConfig& config, int64_t num_classes) {
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
  return std::unique_ptr<SemanticMapper>(
      new SemanticMapper(config, std::move(sizes), num_classes));
}

SemanticMapper::SemanticMapper(const InputConfig& config,
                               std::vector<int64_t> sizes, int64_t num_classes)
    : config_(config), sizes_(std::move(sizes)), num_classes_(num_classes) {}

absl::StatusOr<TrainingExample> SemanticMapper::Map(
    Sample sample, SampleRandom& random) const {
  const int64_t shorter =
      sizes_[random.Integer(0, static_cast<int64_t>(sizes_.size()) - 1)];
  const ImageSize size = ResizedSize({sample.image.rows, sample.image.cols},
                                     shorter, config_.max_size_train());
  const ImageSize crop_size{config_.crop_height(), config_.crop_width()};
  const double max_share = config_.single_category_max_area();
  cv::Rect crop = DrawCrop(size, crop_size, random);
  cv::Mat label = ResizeNearest(sample.label, size, crop);
  // A share of 1 means that every crop will do, also one of a single class.
  for (int tries = 1;
       max_share < 1.0 && tries < kCropTries && !IsVariedCrop(label, max_share);
       ++tries) {
    crop = DrawCrop(size, crop_size, random);
    label = ResizeNearest(sample.label, size, crop);
  }
  cv::Mat image = PilResizeBilinear(sample.image, size, crop);
  if (config_.color_augmentation() == InputConfig::SSD) {
    ApplyColorJitter(DrawColorJitter(random), image);
  }
  if (random.Coin(config_.flip_probability())) {
    FlipHorizontally(image);
    FlipHorizontally(label);
  }
  if (config_.size_divisibility() > 0) {
    const int64_t edge = config_.size_divisibility();
    if (image.rows > edge || image.cols > edge) {
      return absl::InvalidArgumentError(absl::StrCat(
          sample.image_path, ": its crop of ", image.rows, " x ", image.cols,
          " is larger than data.input.size_divisibility, ", edge,
          "; raise it or lower data.input.crop_height and crop_width"));
    }
    image = PadTo(image, {edge, edge}, kPaddingGray);
    label = PadTo(label, {edge, edge}, kIgnoreLabel);
  }
  return TrainingExample{ImageToTensor(image),
                         MakeMaskTarget(label, num_classes_)};
}

}  // namespace mask2former
