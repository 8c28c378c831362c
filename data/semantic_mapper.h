#ifndef MASK2FORMER_DATA_SEMANTIC_MAPPER_H_
#define MASK2FORMER_DATA_SEMANTIC_MAPPER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/data/sample_mapper.h"
#include "mask2former/data/train_transform.h"

namespace mask2former {

// The training examples of the semantic task: TrainTransform, then one mask per
// present class.
//
// Source: Cheng et al., "Masked-attention Mask Transformer for Universal Image
// Segmentation", CVPR 2022, section 4 and the published training settings.
class SemanticMapper : public SampleMapper {
 public:
  // Returns as TrainTransform::Create().
  static absl::StatusOr<std::unique_ptr<SemanticMapper>> Create(
      const InputConfig& config, int64_t num_classes);

  // Returns as TrainTransform::Apply().
  absl::StatusOr<TrainingExample> Map(Sample sample,
                                      SampleRandom& random) const override;

  const std::vector<int64_t>& sizes() const { return transform_.sizes(); }

 private:
  SemanticMapper(TrainTransform transform, int64_t num_classes);

  TrainTransform transform_;
  int64_t num_classes_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SEMANTIC_MAPPER_H_
