#include "mask2former/train/optimizer/parameter_groups.h"

#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/instancenorm.h>
#include <torch/nn/modules/normalization.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/layers/batch_norm.h"

namespace mask2former {
namespace {

template <typename... Types>
bool IsOneOf(const torch::nn::Module& module) {
  return ((dynamic_cast<const Types*>(&module) != nullptr) || ...);
}

bool IsNorm(const torch::nn::Module& module,
            const ParameterGroupOptions& options) {
  return IsOneOf<BatchNorm, torch::nn::BatchNorm1dImpl,
                 torch::nn::BatchNorm2dImpl, torch::nn::BatchNorm3dImpl,
                 torch::nn::GroupNormImpl, torch::nn::InstanceNorm1dImpl,
                 torch::nn::InstanceNorm2dImpl, torch::nn::InstanceNorm3dImpl,
                 torch::nn::LayerNormImpl, torch::nn::LocalResponseNormImpl>(
             module) ||
         (options.is_norm && options.is_norm(module));
}

bool IsEmbedding(const torch::nn::Module& module,
                 const ParameterGroupOptions& options) {
  return IsOneOf<torch::nn::EmbeddingImpl>(module) ||
         (options.is_embedding && options.is_embedding(module));
}

double WeightDecay(const std::string& name, const torch::nn::Module& owner,
                   const ParameterGroupOptions& options) {
  if (IsEmbedding(owner, options)) return options.weight_decay_embed;
  if (IsNorm(owner, options)) return options.weight_decay_norm;
  if (absl::StrContains(name, "relative_position_bias_table") ||
      absl::StrContains(name, "absolute_pos_embed")) {
    return 0;
  }
  return options.weight_decay;
}

}  // namespace

int64_t ParameterGroup::NumElements() const {
  int64_t count = 0;
  for (const torch::Tensor& parameter : parameters) count += parameter.numel();
  return count;
}

std::vector<ParameterGroup> MakeParameterGroups(
    const torch::nn::Module& root, const ParameterGroupOptions& options) {
  std::vector<ParameterGroup> groups;
  std::set<const void*> seen;
  const auto add = [&](const std::string& path,
                       const torch::nn::Module& owner) {
    const double lr =
        options.base_lr *
        (absl::StrContains(path, "backbone") ? options.backbone_multiplier : 1);
    for (const auto& item : owner.named_parameters(/*recurse=*/false)) {
      const torch::Tensor& parameter = item.value();
      if (!parameter.defined() || !parameter.requires_grad() ||
          !seen.insert(parameter.unsafeGetTensorImpl()).second) {
        continue;
      }
      const double weight_decay = WeightDecay(item.key(), owner, options);
      auto group = std::find_if(
          groups.begin(), groups.end(), [&](const ParameterGroup& other) {
            return other.lr == lr && other.weight_decay == weight_decay;
          });
      if (group == groups.end()) {
        group = groups.insert(groups.end(), {lr, weight_decay, {}, {}});
      }
      group->names.push_back(
          path.empty() ? item.key() : absl::StrCat(path, ".", item.key()));
      group->parameters.push_back(parameter);
    }
  };
  add("", root);
  for (const auto& item :
       root.named_modules(/*name_prefix=*/"", /*include_self=*/false)) {
    add(item.key(), *item.value());
  }
  return groups;
}

}  // namespace mask2former
