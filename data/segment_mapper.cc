#include "mask2former/data/segment_mapper.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <opencv2/core.hpp>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/data/polygons/coco_fill.h"

namespace mask2former {
namespace {

constexpr int32_t kNoTarget = -1;

// Train ids of a segment map: 255 where no segment is.
cv::Mat LabelOf(const Sample& sample) {
  std::vector<uint8_t> table(sample.segments.size() + 1, kIgnoreLabel);
  for (size_t n = 0; n < sample.segments.size(); ++n) {
    table[n + 1] = static_cast<uint8_t>(sample.segments[n].class_id);
  }
  cv::Mat label(sample.segment_map.size(), CV_8UC1);
  for (int y = 0; y < label.rows; ++y) {
    const uint16_t* in = sample.segment_map.ptr<uint16_t>(y);
    uint8_t* out = label.ptr<uint8_t>(y);
    for (int x = 0; x < label.cols; ++x) out[x] = table[in[x]];
  }
  return label;
}

absl::Status CheckSegments(const Sample& sample, int64_t num_classes) {
  for (const Segment& segment : sample.segments) {
    if (segment.class_id >= 0 && segment.class_id < num_classes) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        sample.image_path, ": segment ", segment.id, " is of class ",
        segment.class_id, ", but classes are 0..", num_classes - 1));
  }
  TORCH_CHECK(sample.segment_map.empty() ||
                  (sample.segment_map.type() == CV_16UC1 &&
                   sample.segment_map.size() == sample.image.size()),
              "segment_map must be CV_16UC1 and of the picture's size");
  return absl::OkStatus();
}

// Target of each segment; kNoTarget for crowds.
std::vector<int32_t> NumberTargets(const std::vector<Segment>& segments,
                                   std::vector<int64_t>& classes) {
  std::vector<int32_t> targets;
  for (const Segment& segment : segments) {
    if (segment.is_crowd) {
      targets.push_back(kNoTarget);
      continue;
    }
    targets.push_back(static_cast<int32_t>(classes.size()));
    classes.push_back(segment.class_id);
  }
  return targets;
}

// Sets the pixels of all targets that a segment map shows.
void FillFromMap(const cv::Mat& map, const std::vector<int32_t>& targets,
                 bool* masks) {
  const int64_t area = static_cast<int64_t>(map.rows) * map.cols;
  for (int y = 0; y < map.rows; ++y) {
    const uint16_t* row = map.ptr<uint16_t>(y);
    bool* out = masks + static_cast<int64_t>(y) * map.cols;
    for (int x = 0; x < map.cols; ++x) {
      if (row[x] == 0) continue;
      const int32_t target = targets[row[x] - 1];
      if (target != kNoTarget) out[target * area + x] = true;
    }
  }
}

// Sets the pixels of a target that its polygons hold.
absl::Status FillFromPolygons(const std::vector<Polygon>& polygons,
                              const TrainView& view, bool* mask) {
  static_assert(sizeof(bool) == 1);
  // Padding is not filled, even by a polygon that reaches the border.
  cv::Mat pixels(view.crop.height, view.crop.width, CV_8UC1, mask,
                 static_cast<size_t>(view.padded.width));
  for (const Polygon& polygon : polygons) {
    M2F_ASSIGN_OR_RETURN(const std::vector<Polygon> parts,
                         view.MapPolygon(polygon));
    for (const Polygon& part : parts) FillCocoPolygon(part, pixels);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SegmentMapper>> SegmentMapper::Create(
    const InputConfig& config, Crops crops, int64_t num_classes) {
  M2F_ASSIGN_OR_RETURN(TrainTransform transform,
                       TrainTransform::Create(config));
  return std::unique_ptr<SegmentMapper>(
      new SegmentMapper(std::move(transform), crops, num_classes));
}

SegmentMapper::SegmentMapper(TrainTransform transform, Crops crops,
                             int64_t num_classes)
    : transform_(std::move(transform)),
      crops_(crops),
      num_classes_(num_classes) {}

absl::StatusOr<TrainingExample> SegmentMapper::Map(Sample sample,
                                                   SampleRandom& random) const {
  M2F_RETURN_IF_ERROR(CheckSegments(sample, num_classes_));
  const bool varied = crops_ == Crops::kVaried && !sample.segment_map.empty();
  M2F_ASSIGN_OR_RETURN(
      const TransformedImage transformed,
      varied ? transform_.Apply(sample.image, sample.image_path, random,
                                [&sample] { return LabelOf(sample); })
             : transform_.Apply(sample.image, sample.image_path, random));
  const TrainView& view = transformed.view;
  std::vector<int64_t> classes;
  const std::vector<int32_t> targets = NumberTargets(sample.segments, classes);
  const auto count = static_cast<int64_t>(classes.size());
  TrainingExample example;
  example.image = ImageToTensor(transformed.image);
  example.target.labels = at::empty({count}, at::kLong);
  std::copy(classes.begin(), classes.end(),
            example.target.labels.mutable_data_ptr<int64_t>());
  example.target.masks =
      at::zeros({count, view.padded.height, view.padded.width}, at::kBool);
  bool* masks = example.target.masks.mutable_data_ptr<bool>();
  if (!sample.segment_map.empty()) {
    FillFromMap(view.MapSegments(sample.segment_map), targets, masks);
  }
  const int64_t area = view.padded.height * view.padded.width;
  for (size_t n = 0; n < sample.segments.size(); ++n) {
    if (targets[n] == kNoTarget) continue;
    const absl::Status filled = FillFromPolygons(
        sample.segments[n].polygons, view, masks + targets[n] * area);
    if (!filled.ok()) {
      return absl::Status(
          filled.code(),
          absl::StrCat(sample.label_path, ", segment ", sample.segments[n].id,
                       ": ", filled.message()));
    }
  }
  return example;
}

}  // namespace mask2former
