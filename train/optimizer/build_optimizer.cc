#include "mask2former/train/optimizer/build_optimizer.h"

#include <torch/nn/module.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

PolyScheduleOptions::Warmup ToWarmup(WarmupPolyLrConfig::WarmupMethod method) {
  switch (method) {
    case WarmupPolyLrConfig::LINEAR:
      return PolyScheduleOptions::Warmup::kLinear;
    case WarmupPolyLrConfig::CONSTANT:
      return PolyScheduleOptions::Warmup::kConstant;
  }
  return PolyScheduleOptions::Warmup::kLinear;
}

}  // namespace

absl::Status ValidateSolverConfig(const SolverConfig& config) {
  std::vector<std::string> errors;
  const auto require = [&](bool valid, const char* field, const char* range,
                           double value) {
    if (valid && std::isfinite(value)) return;
    errors.push_back(
        absl::StrCat("solver.", field, " must be ", range, ", got ", value));
  };
  const auto positive = [&](const char* field, double value) {
    require(value > 0, field, "above 0", value);
  };
  const auto not_negative = [&](const char* field, double value) {
    require(value >= 0, field, "at least 0", value);
  };
  const auto at_least_one = [&](const char* field, double value) {
    require(value >= 1, field, "at least 1", value);
  };
  positive("base_lr", config.base_lr());
  not_negative("backbone_multiplier", config.backbone_multiplier());
  not_negative("weight_decay", config.weight_decay());
  not_negative("weight_decay_norm", config.weight_decay_norm());
  not_negative("weight_decay_embed", config.weight_decay_embed());
  require(config.beta1() >= 0 && config.beta1() < 1, "beta1", "in [0, 1)",
          config.beta1());
  require(config.beta2() >= 0 && config.beta2() < 1, "beta2", "in [0, 1)",
          config.beta2());
  positive("eps", config.eps());
  positive("clip_gradients.max_norm", config.clip_gradients().max_norm());
  const WarmupPolyLrConfig& schedule = config.schedule();
  not_negative("schedule.power", schedule.power());
  require(schedule.constant_ending() >= 0 && schedule.constant_ending() <= 1,
          "schedule.constant_ending", "in [0, 1]", schedule.constant_ending());
  require(schedule.warmup_iters() >= 0 &&
              schedule.warmup_iters() <= config.max_iter(),
          "schedule.warmup_iters", "in [0, solver.max_iter]",
          schedule.warmup_iters());
  require(schedule.warmup_factor() >= 0 && schedule.warmup_factor() <= 1,
          "schedule.warmup_factor", "in [0, 1]", schedule.warmup_factor());
  at_least_one("max_iter", config.max_iter());
  at_least_one("global_batch_size", config.global_batch_size());
  require(config.micro_batch_size() >= 0 &&
              config.micro_batch_size() <= config.global_batch_size(),
          "micro_batch_size", "in [0, solver.global_batch_size]",
          config.micro_batch_size());
  if (errors.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
}

absl::StatusOr<std::unique_ptr<Optimizer>> BuildOptimizer(
    const SolverConfig& config, const torch::nn::Module& model) {
  M2F_RETURN_IF_ERROR(ValidateSolverConfig(config));
  ParameterGroupOptions options;
  options.base_lr = config.base_lr();
  options.backbone_multiplier = config.backbone_multiplier();
  options.weight_decay = config.weight_decay();
  options.weight_decay_norm = config.weight_decay_norm();
  options.weight_decay_embed = config.weight_decay_embed();
  std::vector<ParameterGroup> groups = MakeParameterGroups(model, options);
  if (groups.empty()) {
    return absl::InvalidArgumentError(
        "the model has no parameter that requires a gradient: is everything "
        "frozen?");
  }
  PolyScheduleOptions schedule;
  schedule.max_iter = config.max_iter();
  schedule.power = config.schedule().power();
  schedule.constant_ending = config.schedule().constant_ending();
  schedule.warmup_iters = config.schedule().warmup_iters();
  schedule.warmup_factor = config.schedule().warmup_factor();
  schedule.warmup = ToWarmup(config.schedule().warmup_method());
  std::optional<double> max_norm;
  if (config.clip_gradients().enabled()) {
    max_norm = config.clip_gradients().max_norm();
  }
  switch (config.optimizer()) {
    case SolverConfig::ADAMW:
      return std::make_unique<Optimizer>(
          std::move(groups),
          AdamwOptions{config.beta1(), config.beta2(), config.eps()}, schedule,
          max_norm);
  }
  return absl::InvalidArgumentError("solver.optimizer must be ADAMW");
}

}  // namespace mask2former
