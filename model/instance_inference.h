#ifndef MASK2FORMER_MODEL_INSTANCE_INFERENCE_H_
#define MASK2FORMER_MODEL_INSTANCE_INFERENCE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "mask2former/common/image_size.h"
#include "mask2former/common/mask_prediction.h"
#include "mask2former/common/run_length_mask.h"

namespace mask2former {

struct InstanceOptions {
  // So many pairs of query and class are looked at, the most probable ones.
  int64_t top_k = 100;
  // Classes that are reported, K entries; empty: all. A panoptic model reports
  // its things only.
  std::vector<bool> is_thing;
};

struct InstancePrediction {
  double score = 0;      // Probability of the class times mean of the mask.
  int64_t category = 0;  // 0 .. K - 1.
  int64_t query = 0;
  // Of the output's size. Predictions of one query share it.
  std::shared_ptr<const RunLengthMask> mask;
};

// [H, W] bool -> its runs, and back on the CPU.
RunLengthMask EncodeMask(const at::Tensor& mask);
at::Tensor DecodeMask(const RunLengthMask& mask);

// Finds instances, highest score first; on a tie the lower query and class.
//
// One query may say several classes. The mask is where its logits are above 0,
// and the mean is taken over its pixels.
//
//   prediction  of a batch padded to `padded`
//   index       which image of the batch
//   image       its size before padding
//   output      the size wanted, usually that of the original file
//
// Masks are made one at a time, some rows at a time. Beyond `prediction` and
// the masks that are returned this takes less than 24 MiB, whatever the sizes.
// A row of a mask has at most as many runs as `prediction` has columns, and
// hardly ever more than some dozens.
//
// Source: Cheng et al., CVPR 2022, appendix; spec of the official code.
std::vector<InstancePrediction> InstanceInference(
    const MaskPrediction& prediction, int64_t index, const ImageSize& padded,
    const ImageSize& image, const ImageSize& output,
    const InstanceOptions& options);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_INSTANCE_INFERENCE_H_
