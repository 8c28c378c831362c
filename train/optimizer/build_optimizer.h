#ifndef MASK2FORMER_TRAIN_OPTIMIZER_BUILD_OPTIMIZER_H_
#define MASK2FORMER_TRAIN_OPTIMIZER_BUILD_OPTIMIZER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/train/optimizer/optimizer.h"
#include "mask2former/train/optimizer/solver_config.pb.h"

namespace torch::nn {
class Module;
}  // namespace torch::nn

namespace mask2former {

// Returns InvalidArgument, with every field that is out of range.
absl::Status ValidateSolverConfig(const SolverConfig& config);

// Makes the optimizer of the parameters of `model` that require a gradient. The
// module of its backbone must be registered under a name that contains
// "backbone".
//
// Returns InvalidArgument if `config` is out of range or `model` has nothing to
// learn.
absl::StatusOr<std::unique_ptr<Optimizer>> BuildOptimizer(
    const SolverConfig& config, const torch::nn::Module& model);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_OPTIMIZER_BUILD_OPTIMIZER_H_
