#ifndef MASK2FORMER_TRAIN_OPTIMIZER_OPTIMIZER_H_
#define MASK2FORMER_TRAIN_OPTIMIZER_OPTIMIZER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mask2former/train/optimizer/adamw.h"
#include "mask2former/train/optimizer/parameter_groups.h"
#include "mask2former/train/optimizer/poly_schedule.h"

namespace mask2former {

// What a training step does once the gradients are there: clip, update, move
// on in the schedule.
class Optimizer {
 public:
  // `max_norm` empty: gradients are not clipped.
  Optimizer(std::vector<ParameterGroup> groups, const AdamwOptions& adamw,
            const PolyScheduleOptions& schedule,
            std::optional<double> max_norm);

  // Call before backward(); frees the old gradients.
  void ZeroGrad();

  // Clips, updates the parameters and advances the schedule. The gradients are
  // those of the loss times `loss_scale`.
  //
  // Returns the L2 norm of all gradients of the loss before clipping. If it is
  // not finite, the parameters and moments stay as they are, but the schedule
  // advances all the same. Waits for the device.
  double Step(double loss_scale = 1);

  // Steps taken so far, those without an update included: the iteration whose
  // learning rate the next Step() uses.
  int64_t iteration() const { return iteration_; }

  // Learning rate of the next Step() outside the backbone: the largest of all
  // groups.
  double lr() const;

  const std::vector<ParameterGroup>& groups() const { return adamw_.groups(); }

  // All that a continued run needs: Adamw::State() and "iteration" [] int64.
  std::map<std::string, at::Tensor> State();

  // Returns InvalidArgument, and changes nothing, unless `state` is of a model
  // with the same parameters.
  absl::Status LoadState(const std::map<std::string, at::Tensor>& state);

 private:
  Adamw adamw_;
  const PolyScheduleOptions schedule_;
  const std::optional<double> max_norm_;
  int64_t iteration_ = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_OPTIMIZER_OPTIMIZER_H_
