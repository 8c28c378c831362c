#include "mask2former/model/checkpoint.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

bool IsOptional(const std::string& name) {
  return absl::EndsWith(name, "num_batches_tracked") ||
         name == "criterion.empty_weight";
}

std::string SizesOf(const at::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

void AppendNames(const char* what, const std::vector<std::string>& names,
                 size_t limit, std::string& text) {
  if (names.empty()) return;
  absl::StrAppend(&text, "\n  ", what, ":");
  for (size_t i = 0; i < std::min(limit, names.size()); ++i) {
    absl::StrAppend(&text, "\n    ", names[i]);
  }
  if (names.size() > limit) {
    absl::StrAppend(&text, "\n    and ", names.size() - limit, " more");
  }
}

}  // namespace

std::string WeightsReport::ToString(size_t limit) const {
  std::string text =
      absl::StrCat(matched.size(), " tensors matched, ", missing.size(),
                   " missing, ", unexpected.size(), " unexpected, ",
                   mismatched.size(), " of another shape");
  AppendNames("missing in the file", missing, limit, text);
  AppendNames("unexpected in the file", unexpected, limit, text);
  AppendNames("of another shape", mismatched, limit, text);
  return text;
}

std::map<std::string, at::Tensor> NamedState(const torch::nn::Module& module) {
  std::map<std::string, at::Tensor> state;
  for (const auto& item : module.named_parameters()) {
    state[item.key()] = item.value().detach();
  }
  for (const auto& item : module.named_buffers()) {
    state[item.key()] = item.value().detach();
  }
  return state;
}

absl::StatusOr<WeightsReport> LoadState(
    const std::map<std::string, at::Tensor>& tensors, bool strict,
    torch::nn::Module& module) {
  WeightsReport report;
  std::map<std::string, at::Tensor> state = NamedState(module);
  for (const auto& [name, target] : state) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      if (!IsOptional(name)) report.missing.push_back(name);
    } else if (found->second.sizes() != target.sizes()) {
      report.mismatched.push_back(absl::StrCat(name, ": file ",
                                               SizesOf(found->second),
                                               ", model ", SizesOf(target)));
    } else {
      report.matched.push_back(name);
    }
  }
  for (const auto& [name, unused] : tensors) {
    if (state.count(name) == 0 && !IsOptional(name)) {
      report.unexpected.push_back(name);
    }
  }
  if (strict && !report.complete()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the weights do not fit the model: ", report.ToString()));
  }
  c10::NoGradGuard no_grad;
  for (const std::string& name : report.matched) {
    state[name].copy_(tensors.at(name));
  }
  return report;
}

absl::StatusOr<WeightsReport> LoadWeights(const std::string& path, bool strict,
                                          torch::nn::Module& module) {
  M2F_ASSIGN_OR_RETURN(const SafetensorsFile file, ReadSafetensors(path));
  absl::StatusOr<WeightsReport> report =
      LoadState(file.tensors, strict, module);
  if (!report.ok()) {
    return absl::Status(report.status().code(),
                        absl::StrCat(path, ": ", report.status().message()));
  }
  return report;
}

absl::Status SaveWeights(const std::string& path,
                         const torch::nn::Module& module,
                         const std::map<std::string, std::string>& metadata) {
  return WriteSafetensors(path, NamedState(module), metadata);
}

}  // namespace mask2former
