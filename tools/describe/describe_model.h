#ifndef MASK2FORMER_TOOLS_DESCRIBE_DESCRIBE_MODEL_H_
#define MASK2FORMER_TOOLS_DESCRIBE_DESCRIBE_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/common/image_size.h"
#include "mask2former/configs/experiment.pb.h"

namespace mask2former {

struct DescribeOptions {
  int64_t batch = 1;  // Images at a time.
  ImageSize inference_size = {1024, 2048};
  ImageSize training_size = {512, 1024};
  int64_t num_targets = 10;  // Of each training image.
  bool training = true;      // Else only inference is looked at.
};

// One piece of the model.
struct PieceDescription {
  std::string name;
  int64_t parameters = 0;

  // Of inference. A multiplication and an addition, in matrix products,
  // convolutions and attention; without the samples of deformable attention.
  int64_t macs = 0;
  int64_t sampling_macs = 0;  // Those.
  int64_t activations = 0;    // Elements written by the same operators.
  // At most, over what was there before; with what the piece returns.
  int64_t inference_bytes = 0;

  // What the piece adds to memory for the backward pass; with what it returns.
  int64_t kept_bytes = 0;
};

struct ModelDescription {
  // As they run: the three of the model, then the results that its settings
  // switch on ("labels", "panoptic segments", "instances").
  std::vector<PieceDescription> pieces;
  PieceDescription total;  // bytes: the peak, and the sum kept.

  int64_t weight_bytes = 0;  // Parameters and buffers.
  // What inference makes of the weights once and keeps.
  int64_t prepared_bytes = 0;
  // At most during one whole training step, after the first: activations,
  // losses, gradients and the optimizer's state, without the weights. 0 unless
  // training was looked at.
  int64_t training_bytes = 0;
};

// Runs the model of `experiment` on random weights and images: once as
// inference does and, if asked for, through two training steps, on the CPU.
//
// Returns InvalidArgument if a size is not positive or training sizes do not
// suit, or as BuildSegmentor() and the pieces of a training step.
absl::StatusOr<ModelDescription> DescribeModel(const Experiment& experiment,
                                               const DescribeOptions& options);

// A table, one line per piece and one for all, and what the numbers mean.
std::string TextReport(const ModelDescription& description,
                       const DescribeOptions& options);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_DESCRIBE_DESCRIBE_MODEL_H_
