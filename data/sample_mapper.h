#ifndef MASK2FORMER_DATA_SAMPLE_MAPPER_H_
#define MASK2FORMER_DATA_SAMPLE_MAPPER_H_

#include <ATen/core/Tensor.h>

#include "absl/status/statusor.h"
#include "mask2former/common/mask_target.h"
#include "mask2former/data/dataset.h"
#include "mask2former/data/sample_random.h"

namespace mask2former {

// One picture ready for the model.
struct TrainingExample {
  at::Tensor image;   // [3, H, W] uint8, R, G, B, 0..255.
  MaskTarget target;  // Masks are [N, H, W].
};

// Turns a sample as it lies on disk into a training example. Other tasks and
// other augmentations implement this.
class SampleMapper {
 public:
  virtual ~SampleMapper() = default;

  // Called from several threads at a time; the result may depend on the sample
  // and on `random` only. May reuse the sample's memory.
  virtual absl::StatusOr<TrainingExample> Map(Sample sample,
                                              SampleRandom& random) const = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SAMPLE_MAPPER_H_
