#include "mask2former/train/optimizer/loss_scale.h"

#include <ATen/ops/full.h>

#include <cmath>

namespace mask2former {
namespace {

constexpr double kGrowth = 2;
constexpr double kBackOff = 0.5;
constexpr int64_t kGrowthInterval = 2000;

constexpr char kValue[] = "value";
constexpr char kGoodSteps[] = "good_steps";

}  // namespace

void LossScale::Update(bool finite) {
  if (!finite) {
    value_ *= kBackOff;
    good_steps_ = 0;
  } else if (++good_steps_ == kGrowthInterval) {
    value_ *= kGrowth;
    good_steps_ = 0;
  }
}

std::map<std::string, at::Tensor> LossScale::State() const {
  return {{kValue, at::full({}, value_, at::kDouble)},
          {kGoodSteps, at::full({}, good_steps_, at::kLong)}};
}

absl::Status LossScale::LoadState(
    const std::map<std::string, at::Tensor>& state) {
  const auto value = state.find(kValue);
  const auto good_steps = state.find(kGoodSteps);
  if (value == state.end() || good_steps == state.end() ||
      value->second.numel() != 1 || good_steps->second.numel() != 1) {
    return absl::InvalidArgumentError(
        "the loss scale's state must have \"value\" and \"good_steps\", one "
        "number each");
  }
  const double number = value->second.item<double>();
  const int64_t count = good_steps->second.item<int64_t>();
  if (!(number > 0) || !std::isfinite(number) || count < 0 ||
      count >= kGrowthInterval) {
    return absl::InvalidArgumentError(
        "the loss scale's state must be a positive value and fewer than 2000 "
        "good steps");
  }
  value_ = number;
  good_steps_ = count;
  return absl::OkStatus();
}

}  // namespace mask2former
