#ifndef MASK2FORMER_TRAIN_OPTIMIZER_ADAMW_H_
#define MASK2FORMER_TRAIN_OPTIMIZER_ADAMW_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mask2former/train/optimizer/parameter_groups.h"

namespace mask2former {

struct AdamwOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
};

// AdamW over groups of parameters, one fused kernel call a group.
//
// State per parameter: first and second moment, and the number of its steps. A
// parameter without a gradient is left alone, decay included, and its step does
// not count.
//
// Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR
// 2019, algorithm 2.
class Adamw {
 public:
  // The parameters of a group share device and dtype. They may move to another
  // device until the first call of Step(), State() or LoadState().
  Adamw(std::vector<ParameterGroup> groups, const AdamwOptions& options);

  // Makes every gradient undefined, so that its memory is free.
  void ZeroGrad();

  // The gradients that are defined.
  std::vector<at::Tensor> Gradients() const;

  // Updates the parameters; the learning rate of a group is its lr times
  // `lr_factor`. If `norm` is defined ([] float, as ClipGradients() returns it)
  // and not finite, parameters and state stay as they are; this needs no wait
  // for the device.
  void Step(double lr_factor, const at::Tensor& norm = {});

  const std::vector<ParameterGroup>& groups() const { return groups_; }

  // "exp_avg.<name>", "exp_avg_sq.<name>" like the parameter, "step.<name>" []
  // float, for every parameter. They share memory with the optimizer.
  std::map<std::string, at::Tensor> State();

  // Copies a state that State() returned, to the parameters' device.
  //
  // Returns InvalidArgument, and changes nothing, if a tensor is missing, left
  // over or of another shape.
  absl::Status LoadState(const std::map<std::string, at::Tensor>& state);

 private:
  struct Moments {
    std::vector<at::Tensor> exp_avg, exp_avg_sq, step;  // As group.parameters.
  };

  void EnsureMoments();

  const std::vector<ParameterGroup> groups_;
  const AdamwOptions options_;
  std::vector<Moments> moments_;  // One per group; empty before the first use.
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_OPTIMIZER_ADAMW_H_
