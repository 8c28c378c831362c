#include "mask2former/model/checkpoint.h"

#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <functional>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/mapped_file.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/model/weights/class_rows.h"
#include "mask2former/model/weights/official_names.h"
#include "mask2former/model/weights/view_tensor.h"
#include "mask2former/model/weights/weight_file.h"

namespace mask2former {
namespace {

constexpr absl::string_view kClassifier = "class_embed.";

// A tensor of a file: parts that follow each other along dimension 0.
struct Source {
  std::vector<int64_t> sizes;
  std::vector<at::Tensor> parts;
  std::vector<absl::string_view> mapped;  // Where the parts lie in the file.
};

using Sources = std::map<std::string, Source>;

bool IsOptional(const std::string& name) {
  return absl::EndsWith(name, "num_batches_tracked") ||
         absl::EndsWith(name, "relative_position_index") ||
         name == "criterion.empty_weight";
}

std::string SizesOf(at::IntArrayRef sizes) {
  std::ostringstream text;
  text << sizes;
  return text.str();
}

// Whether values of one type mean the same in the other.
bool Converts(at::ScalarType from, at::ScalarType to) {
  return from == to || (at::isFloatingType(from) && at::isFloatingType(to)) ||
         (at::isIntegralType(from, /*includeBool=*/false) &&
          at::isIntegralType(to, /*includeBool=*/false));
}

void Copy(const Source& source, const at::Tensor& target) {
  int64_t row = 0;
  for (const at::Tensor& part : source.parts) {
    if (source.parts.size() == 1) {
      target.copy_(part);
    } else {
      target.narrow(0, row, part.size(0)).copy_(part);
      row += part.size(0);
    }
  }
}

// The corner that both have.
void CopyCorner(at::Tensor from, at::Tensor to) {
  for (int64_t i = 0; i < to.dim(); ++i) {
    const int64_t size = std::min(from.size(i), to.size(i));
    from = from.narrow(i, 0, size);
    to = to.narrow(i, 0, size);
  }
  to.copy_(from);
}

// What LoadInto() is to do, besides copying.
struct Plan {
  LoadOptions options;
  std::vector<std::string> file_class_names;
  bool backbone_only = false;
  std::function<void(const Source&)> release = [](const Source&) {};
};

// Takes what both have of a tensor of another shape; false if nothing.
bool Adapt(const std::string& name, const Source& source, const Plan& plan,
           const at::Tensor& target, WeightsReport& report) {
  if (source.parts.size() != 1 || source.parts[0].dim() != target.dim() ||
      target.dim() == 0 ||
      !Converts(source.parts[0].scalar_type(), target.scalar_type())) {
    return false;
  }
  const at::Tensor& from = source.parts[0];
  if (!absl::StrContains(name, kClassifier)) {
    CopyCorner(from, target);
    report.adapted.push_back(
        {name, absl::StrCat("the corner that ", SizesOf(from.sizes()), " and ",
                            SizesOf(target.sizes()), " share")});
    return true;
  }
  const ClassRows rows =
      MatchClassRows(plan.file_class_names, from.size(0),
                     plan.options.class_names, target.size(0));
  for (const auto& [file_row, model_row] : rows.rows) {
    CopyCorner(from[file_row], target[model_row]);
  }
  report.adapted.push_back({name, rows.reason});
  return true;
}

bool NamesDiffer(const std::string& name, const Plan& plan) {
  return absl::StrContains(name, kClassifier) &&
         plan.options.on_mismatch == OnMismatch::kSlice &&
         !plan.file_class_names.empty() && !plan.options.class_names.empty() &&
         plan.file_class_names != plan.options.class_names;
}

absl::StatusOr<WeightsReport> LoadInto(const Sources& sources, const Plan& plan,
                                       WeightsReport report,
                                       torch::nn::Module& module) {
  std::map<std::string, at::Tensor> state = NamedState(module);
  std::vector<std::string> differing;
  for (const auto& [name, target] : state) {
    const auto found = sources.find(name);
    if (found == sources.end()) {
      if (IsOptional(name)) {
        report.explained.push_back({name, "not in the file, computed"});
      } else if (plan.backbone_only && plan.options.allow_backbone_only &&
                 !(absl::StartsWith(name, "backbone.") &&
                   !absl::StartsWith(name, "backbone.norm"))) {
        report.explained.push_back(
            {name, "not in a classifier's file; stays as initialised"});
      } else {
        report.missing.push_back(name);
      }
      continue;
    }
    const at::ScalarType type = found->second.parts[0].scalar_type();
    if (found->second.sizes != target.sizes() || NamesDiffer(name, plan)) {
      differing.push_back(name);
    } else if (!Converts(type, target.scalar_type())) {
      report.mismatched.push_back(
          absl::StrCat(name, ": file ", c10::toString(type), ", model ",
                       c10::toString(target.scalar_type())));
    } else {
      report.matched.push_back(name);
    }
  }
  const bool slice = plan.options.on_mismatch == OnMismatch::kSlice;
  c10::NoGradGuard no_grad;
  for (const std::string& name : differing) {
    const Source& source = sources.at(name);
    if (!slice || !Adapt(name, source, plan, state[name], report)) {
      report.mismatched.push_back(
          absl::StrCat(name, ": file ", SizesOf(source.sizes), ", model ",
                       SizesOf(state[name].sizes())));
    }
  }
  for (const auto& [name, unused] : sources) {
    if (state.count(name) != 0) continue;
    if (IsOptional(name)) {
      report.explained.push_back({name, "of use in training only"});
    } else {
      report.unexpected.push_back(name);
    }
  }
  if (plan.options.on_mismatch == OnMismatch::kFail && !report.complete()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the weights do not fit the model: ", report.ToString()));
  }
  for (const std::string& name : report.matched) {
    const Source& source = sources.at(name);
    Copy(source, state[name]);
    plan.release(source);
  }
  return report;
}

}  // namespace

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
  Sources sources;
  for (const auto& [name, tensor] : tensors) {
    sources[name] = {tensor.sizes().vec(), {tensor}, {}};
  }
  Plan plan;
  plan.options.on_mismatch = strict ? OnMismatch::kFail : OnMismatch::kSkip;
  return LoadInto(sources, plan, {}, module);
}

absl::StatusOr<WeightsReport> LoadWeights(const std::string& path,
                                          const LoadOptions& options,
                                          torch::nn::Module& module) {
  const auto refused = [&](const absl::Status& status) {
    return WithPrefix(absl::StrCat(path, ": "), status);
  };
  M2F_ASSIGN_OR_RETURN(const WeightFile file, ReadWeightFile(path));
  const absl::StatusOr<OfficialWeights> weights = ToOfficialNames(file);
  if (!weights.ok()) return refused(weights.status());
  Sources sources;
  for (const auto& [name, tensor] : weights->tensors) {
    Source& source = sources[name];
    source.sizes = tensor.shape();
    for (const RawTensor& part : tensor.parts) {
      const absl::StatusOr<at::Tensor> view = ViewTensor(part);
      if (!view.ok()) {
        return refused(absl::InvalidArgumentError(
            absl::StrCat("tensor \"", name, "\": ", view.status().message())));
      }
      source.parts.push_back(*view);
      source.mapped.push_back(part.data);
    }
  }
  Plan plan;
  plan.options = options;
  plan.file_class_names =
      file.class_names.empty() ? options.file_class_names : file.class_names;
  plan.backbone_only = weights->backbone_only;
  plan.release = [&file](const Source& source) {
    for (const absl::string_view part : source.mapped) {
      for (const auto& mapped : file.files) mapped->Release(part);
    }
  };
  WeightsReport report;
  report.format = file.format;
  report.naming = weights->naming;
  report.explained = weights->ignored;
  absl::StatusOr<WeightsReport> loaded =
      LoadInto(sources, plan, std::move(report), module);
  if (!loaded.ok()) return refused(loaded.status());
  return loaded;
}

absl::StatusOr<WeightsReport> LoadWeights(const std::string& path, bool strict,
                                          torch::nn::Module& module) {
  LoadOptions options;
  options.on_mismatch = strict ? OnMismatch::kFail : OnMismatch::kSkip;
  return LoadWeights(path, options, module);
}

absl::Status SaveWeights(const std::string& path,
                         const torch::nn::Module& module,
                         const std::map<std::string, std::string>& metadata) {
  return WriteSafetensors(path, NamedState(module), metadata);
}

}  // namespace mask2former
