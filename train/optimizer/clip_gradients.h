#ifndef MASK2FORMER_TRAIN_OPTIMIZER_CLIP_GRADIENTS_H_
#define MASK2FORMER_TRAIN_OPTIMIZER_CLIP_GRADIENTS_H_

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

namespace mask2former {

// Divides all gradients by `scale`, then multiplies them by
// min(1, max_norm / (n + 1e-6)), where n is their common L2 norm.
//
//   gradients  on one device; changed in place
//   max_norm   empty: no clipping
//   scale      the factor that the loss was multiplied by
//   returns    [] float, n, on that device; 0 for no gradients
//
// If n is not finite, the gradients are garbage afterwards: see
// Adamw::Step(). Does not wait for the device.
//
// Source: Pascanu et al., "On the difficulty of training recurrent neural
// networks", ICML 2013, algorithm 1; the 1e-6 is PyTorch's.
at::Tensor ClipGradients(const std::vector<at::Tensor>& gradients,
                         std::optional<double> max_norm, double scale = 1);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_OPTIMIZER_CLIP_GRADIENTS_H_
