#include "mask2former/train/optimizer/optimizer.h"

#include <ATen/ops/full.h>

#include <algorithm>
#include <utility>

#include "mask2former/common/status_macros.h"
#include "mask2former/train/optimizer/clip_gradients.h"

namespace mask2former {
namespace {

constexpr char kIteration[] = "iteration";

}  // namespace

Optimizer::Optimizer(std::vector<ParameterGroup> groups,
                     const AdamwOptions& adamw,
                     const PolyScheduleOptions& schedule,
                     std::optional<double> max_norm)
    : adamw_(std::move(groups), adamw),
      schedule_(schedule),
      max_norm_(max_norm) {}

void Optimizer::ZeroGrad() { adamw_.ZeroGrad(); }

double Optimizer::Step(double loss_scale) {
  const at::Tensor norm =
      ClipGradients(adamw_.Gradients(), max_norm_, loss_scale);
  adamw_.Step(PolyScheduleFactor(schedule_, iteration_), norm);
  ++iteration_;
  return norm.item<double>();
}

double Optimizer::lr() const {
  double largest = 0;
  for (const ParameterGroup& group : groups()) {
    largest = std::max(largest, group.lr);
  }
  return largest * PolyScheduleFactor(schedule_, iteration_);
}

std::map<std::string, at::Tensor> Optimizer::State() {
  std::map<std::string, at::Tensor> state = adamw_.State();
  state[kIteration] = at::full({}, iteration_, at::kLong);
  return state;
}

absl::Status Optimizer::LoadState(
    const std::map<std::string, at::Tensor>& state) {
  std::map<std::string, at::Tensor> moments = state;
  const auto iteration = moments.find(kIteration);
  if (iteration == moments.end() || iteration->second.numel() != 1 ||
      iteration->second.scalar_type() != at::kLong ||
      iteration->second.item<int64_t>() < 0) {
    return absl::InvalidArgumentError(
        "the optimizer's state must have \"iteration\", one int64 of at least "
        "0");
  }
  const int64_t value = iteration->second.item<int64_t>();
  moments.erase(iteration);
  M2F_RETURN_IF_ERROR(adamw_.LoadState(moments));
  iteration_ = value;
  return absl::OkStatus();
}

}  // namespace mask2former
