#ifndef MASK2FORMER_BACKBONE_CHECKPOINT_ACTIVATIONS_H_
#define MASK2FORMER_BACKBONE_CHECKPOINT_ACTIVATIONS_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace mask2former {

// function(x) without keeping what its gradient needs: the backward pass calls
// `function` once more. Less memory for more time; gradients are the same.
//
//   function    gives the same result every time: draws no random numbers,
//               counts nothing. It must outlive the backward pass, and so must
//               what it refers to
//   parameters  what `function` uses and wants gradients of, besides x
//
// The second call sees autocast as the first did. Without gradients this is
// function(x). Second derivatives are not to be had.
//
// Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
at::Tensor CheckpointActivations(
    const std::function<at::Tensor(const at::Tensor&)>& function,
    const at::Tensor& x, const std::vector<at::Tensor>& parameters);

}  // namespace mask2former

#endif  // MASK2FORMER_BACKBONE_CHECKPOINT_ACTIVATIONS_H_
