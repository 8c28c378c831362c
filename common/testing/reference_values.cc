#include "mask2former/common/testing/reference_values.h"

#include <ATen/ATen.h>
#include <torch/nn/module.h>

#include <cmath>

#include "absl/strings/match.h"

namespace mask2former {
namespace {

bool IsOneOf(const std::string& part,
             std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (part == name) return true;
  }
  return false;
}

void Fill(at::Tensor tensor, const std::string& name, const std::string& salt) {
  if (!tensor.is_floating_point() ||
      absl::EndsWith(name, "criterion.empty_weight")) {
    return;
  }
  std::vector<std::string> parts = {""};
  for (const char c : name) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  const std::string leaf = parts.back();
  const std::string module = parts.size() > 1 ? parts[parts.size() - 2] : "";
  const at::Tensor r =
      2 * ReferenceUniform(salt + name, tensor.numel()).view(tensor.sizes()) -
      1;
  at::Tensor value;
  if (absl::EndsWith(name, "running_mean")) {
    value = 0.1 * r;
  } else if (absl::EndsWith(name, "running_var")) {
    value = 1 + 0.5 * r;
  } else if (absl::EndsWith(name, "sampling_offsets.bias")) {
    value = 4 * r;
  } else if (absl::EndsWith(name, "relative_position_bias_table")) {
    value = 0.5 * r;
  } else if (IsOneOf(leaf, {"level_embed"}) ||
             IsOneOf(module, {"query_feat", "query_embed", "level_embed"})) {
    value = std::sqrt(3.0) * r;
  } else if (tensor.dim() == 1) {
    value = absl::EndsWith(name, "weight") ? 1 + 0.1 * r : 0.1 * r;
  } else {
    const double fan_in = static_cast<double>(tensor.numel()) /
                          static_cast<double>(tensor.size(0));
    value = std::sqrt(3.0 / fan_in) * r;
    if (IsOneOf(module, {"output_proj", "out_proj", "linear2"})) {
      value = 0.25 * value;
    }
  }
  tensor.copy_(value);
}

}  // namespace

at::Tensor ReferenceUniform(const std::string& name, int64_t count) {
  uint32_t hash = 2166136261u;
  for (const unsigned char c : name) hash = (hash ^ c) * 16777619u;
  at::Tensor values = at::empty({count}, at::kDouble);
  double* out = values.mutable_data_ptr<double>();
  for (int64_t i = 0; i < count; ++i) {
    uint32_t x = hash + static_cast<uint32_t>(i) * 0x9E3779B9u;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    out[i] = (x >> 8) / 16777216.0;
  }
  return values;
}

void FillWithReferenceValues(torch::nn::Module& module, const std::string& salt,
                             const std::string& prefix) {
  at::NoGradGuard no_grad;
  for (const auto& item : module.named_parameters()) {
    Fill(item.value(), prefix + item.key(), salt);
  }
  for (const auto& item : module.named_buffers()) {
    Fill(item.value(), prefix + item.key(), salt);
  }
}

at::Tensor ReferenceImage(const std::string& name, int64_t height,
                          int64_t width) {
  return (ReferenceUniform(name, 3 * height * width) * 256)
      .floor()
      .to(at::kByte)
      .view({3, height, width});
}

std::vector<double> Statistics(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kDouble).contiguous().view(-1);
  const int64_t n = flat.numel();
  return {flat.mean().item<double>(), flat.abs().mean().item<double>(),
          flat[0].item<double>(), flat[n / 2].item<double>(),
          flat[n - 1].item<double>()};
}

}  // namespace mask2former
