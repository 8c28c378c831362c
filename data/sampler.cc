#include "mask2former/data/sampler.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randperm.h>

#include "absl/strings/str_cat.h"
#include "mask2former/common/logging.h"

namespace mask2former {

Sampler::Sampler(int64_t seed, int64_t dataset_size)
    : seed_(seed), dataset_size_(dataset_size) {
  CHECK_GE(dataset_size, 1);
  Rewind();
}

void Sampler::Rewind() {
  generator_ =
      at::make_generator<at::CPUGeneratorImpl>(static_cast<uint64_t>(seed_));
  permutations_ = 0;
  position_ = 0;
}

Sampler::Element Sampler::Next() {
  while (position_ >= permutations_ * dataset_size_) {
    const at::Tensor permutation =
        at::randperm(dataset_size_, generator_, at::kLong);
    const auto* indices = permutation.const_data_ptr<int64_t>();
    permutation_.assign(indices, indices + dataset_size_);
    ++permutations_;
  }
  const Element element{position_, permutation_[position_ % dataset_size_]};
  ++position_;
  return element;
}

void Sampler::Skip(int64_t count) {
  CHECK_GE(count, 0);
  position_ += count;
}

SamplerState Sampler::state() const {
  return {seed_, dataset_size_, position_};
}

absl::Status Sampler::Restore(const SamplerState& state) {
  if (state.seed != seed_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the saved run drew its samples with seed ", state.seed,
        ", this one would with ", seed_, ": set data.loader.seed to ",
        state.seed, " to resume it"));
  }
  if (state.dataset_size != dataset_size_) {
    return absl::InvalidArgumentError(
        absl::StrCat("the saved run had ", state.dataset_size,
                     " training pictures, this data set has ", dataset_size_,
                     ": resume with the same data"));
  }
  if (state.position < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "saved position in the data is negative: ", state.position));
  }
  Rewind();
  Skip(state.position);
  return absl::OkStatus();
}

}  // namespace mask2former
