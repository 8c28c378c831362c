#include "mask2former/train/optimizer/adamw.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mask2former {
namespace {

// The kernel walks over all tensors of a parameter in the order of memory.
at::Tensor WithStridesOf(const at::Tensor& parameter,
                         const at::Tensor& gradient) {
  if (gradient.strides() == parameter.strides()) return gradient;
  return at::empty_like(parameter).copy_(gradient);
}

}  // namespace

Adamw::Adamw(std::vector<ParameterGroup> groups, const AdamwOptions& options)
    : groups_(std::move(groups)), options_(options) {}

void Adamw::ZeroGrad() {
  for (const ParameterGroup& group : groups_) {
    for (at::Tensor parameter : group.parameters) {
      parameter.mutable_grad() = at::Tensor();
    }
  }
}

std::vector<at::Tensor> Adamw::Gradients() const {
  std::vector<at::Tensor> gradients;
  for (const ParameterGroup& group : groups_) {
    for (const at::Tensor& parameter : group.parameters) {
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    }
  }
  return gradients;
}

void Adamw::Step(double lr_factor, const at::Tensor& norm) {
  const at::NoGradGuard no_grad;
  EnsureMoments();
  std::optional<at::Tensor> found_inf;  // [] float, 1: do nothing.
  if (norm.defined()) {
    found_inf = at::isfinite(norm).logical_not().to(at::kFloat);
  }
  for (size_t g = 0; g < groups_.size(); ++g) {
    const ParameterGroup& group = groups_[g];
    std::vector<at::Tensor> parameters, gradients;
    Moments moments;
    for (size_t i = 0; i < group.parameters.size(); ++i) {
      const at::Tensor& gradient = group.parameters[i].grad();
      if (!gradient.defined()) continue;
      parameters.push_back(group.parameters[i]);
      gradients.push_back(WithStridesOf(group.parameters[i], gradient));
      moments.exp_avg.push_back(moments_[g].exp_avg[i]);
      moments.exp_avg_sq.push_back(moments_[g].exp_avg_sq[i]);
      moments.step.push_back(moments_[g].step[i]);
    }
    if (parameters.empty()) continue;
    at::_foreach_add_(moments.step, 1);
    at::_fused_adamw_(parameters, gradients, moments.exp_avg,
                      moments.exp_avg_sq, /*max_exp_avg_sqs=*/{}, moments.step,
                      group.lr * lr_factor, options_.beta1, options_.beta2,
                      group.weight_decay, options_.eps, /*amsgrad=*/false,
                      /*maximize=*/false, /*grad_scale=*/std::nullopt,
                      found_inf);
    if (found_inf.has_value()) {
      at::_foreach_sub_(moments.step, std::vector<at::Tensor>(
                                          moments.step.size(), *found_inf));
    }
  }
}

std::map<std::string, at::Tensor> Adamw::State() {
  EnsureMoments();
  std::map<std::string, at::Tensor> state;
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (size_t i = 0; i < groups_[g].names.size(); ++i) {
      const std::string& name = groups_[g].names[i];
      state[absl::StrCat("exp_avg.", name)] = moments_[g].exp_avg[i];
      state[absl::StrCat("exp_avg_sq.", name)] = moments_[g].exp_avg_sq[i];
      state[absl::StrCat("step.", name)] = moments_[g].step[i];
    }
  }
  return state;
}

absl::Status Adamw::LoadState(const std::map<std::string, at::Tensor>& state) {
  const at::NoGradGuard no_grad;
  const std::map<std::string, at::Tensor> own = State();
  for (const auto& [name, tensor] : own) {
    const auto found = state.find(name);
    if (found == state.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the optimizer's state lacks \"", name,
                       "\"; is it of another model?"));
    }
    if (found->second.sizes() != tensor.sizes()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the optimizer's state \"", name, "\" must have shape [",
                       absl::StrJoin(tensor.sizes(), ", "), "], got [",
                       absl::StrJoin(found->second.sizes(), ", "), "]"));
    }
  }
  for (const auto& [name, tensor] : state) {
    if (own.count(name) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the optimizer's state has \"", name,
          "\", which belongs to no parameter; is it of another model?"));
    }
  }
  for (const auto& [name, tensor] : own) tensor.copy_(state.at(name));
  return absl::OkStatus();
}

void Adamw::EnsureMoments() {
  if (!moments_.empty()) return;
  for (const ParameterGroup& group : groups_) {
    Moments moments;
    for (const at::Tensor& parameter : group.parameters) {
      const at::Tensor value = parameter.detach();
      moments.exp_avg.push_back(at::zeros_like(value));
      moments.exp_avg_sq.push_back(at::zeros_like(value));
      moments.step.push_back(at::zeros({}, value.options().dtype(at::kFloat)));
    }
    moments_.push_back(std::move(moments));
  }
}

}  // namespace mask2former
