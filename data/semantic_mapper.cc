#include "mask2former/data/semantic_mapper.h"

#include <utility>

#include "mask2former/common/status_macros.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/data/mask_targets.h"

namespace mask2former {

absl::StatusOr<std::unique_ptr<SemanticMapper>> SemanticMapper::Create(
    const InputConfig& config, int64_t num_classes) {
  M2F_ASSIGN_OR_RETURN(TrainTransform transform,
                       TrainTransform::Create(config));
  return std::unique_ptr<SemanticMapper>(
      new SemanticMapper(std::move(transform), num_classes));
}

SemanticMapper::SemanticMapper(TrainTransform transform, int64_t num_classes)
    : transform_(std::move(transform)), num_classes_(num_classes) {}

absl::StatusOr<TrainingExample> SemanticMapper::Map(
    Sample sample, SampleRandom& random) const {
  M2F_ASSIGN_OR_RETURN(const TransformedImage transformed,
                       transform_.Apply(sample.image, sample.image_path, random,
                                        [&sample] { return sample.label; }));
  return TrainingExample{
      ImageToTensor(transformed.image),
      MakeMaskTarget(transformed.view.MapLabel(sample.label, kIgnoreLabel),
                     num_classes_)};
}

}  // namespace mask2former
