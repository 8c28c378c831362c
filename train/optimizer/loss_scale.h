#ifndef MASK2FORMER_TRAIN_OPTIMIZER_LOSS_SCALE_H_
#define MASK2FORMER_TRAIN_OPTIMIZER_LOSS_SCALE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"

namespace mask2former {

// The factor that keeps gradients in float16 from vanishing: it grows until
// they overflow, then steps back.
//
// Source: Micikevicius et al., "Mixed Precision Training", ICLR 2018, section
// 3.2; the constants are PyTorch's.
class LossScale {
 public:
  // Multiply the loss by it before backward().
  double value() const { return value_; }

  // After every step: whether its gradients were finite. If not, halves the
  // scale; after 2000 good steps in a row doubles it.
  void Update(bool finite);

  // "value" [] double and "good_steps" [] int64, for a run that goes on.
  std::map<std::string, at::Tensor> State() const;

  // Returns InvalidArgument, and changes nothing, for what State() cannot have
  // returned.
  absl::Status LoadState(const std::map<std::string, at::Tensor>& state);

 private:
  double value_ = 65536;
  int64_t good_steps_ = 0;  // Since the last change.
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_OPTIMIZER_LOSS_SCALE_H_
