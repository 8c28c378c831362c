#include "mask2former/model/weights/official_names.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/model/weights/name_rule.h"
#include "mask2former/model/weights/name_tables.h"

namespace mask2former {
namespace {

using Names = std::map<std::string, const RawTensor*>;

constexpr absl::string_view kHead = "sem_seg_head.";

// Names that start with `start` and are of no use, and why.
struct Unused {
  absl::string_view start;
  absl::string_view reason;
};

constexpr Unused kOfficialUnused[] = {
    {"pixel_mean", "the config says it"},
    {"pixel_std", "the config says it"},
};
constexpr Unused kHuggingFaceUnused[] = {
    {"model.pixel_level_module.encoder.swin.layernorm.", "used by no output"},
    {"model.pixel_level_module.encoder.layernorm.", "used by no output"},
};
constexpr Unused kResNetUnused[] = {
    {"fc.", "the classifier of ImageNet"},
};
constexpr Unused kBackboneUnused[] = {
    {"stem.fc.", "the classifier of ImageNet"},
};
constexpr Unused kSwinUnused[] = {
    {"head.", "the classifier of ImageNet"},
    {"norm.weight", "the classifier's norm"},
    {"norm.bias", "the classifier's norm"},
};

// How the names of a file are to be understood.
struct Convention {
  const char* name = "its own";
  absl::Span<const NameRule> rules;
  absl::Span<const Unused> unused;
  bool backbone_only = false;
};

bool AnyStartsWith(const Names& names, absl::string_view start) {
  const auto next = names.lower_bound(std::string(start));
  return next != names.end() && absl::StartsWith(next->first, start);
}

Convention ConventionOf(const Names& names) {
  constexpr absl::string_view kHuggingFace = "model.pixel_level_module.";
  if (AnyStartsWith(names, kHuggingFace)) {
    const bool swin =
        AnyStartsWith(names, absl::StrCat(kHuggingFace, "encoder.embeddings."));
    return {"Hugging Face",
            swin ? HuggingFaceSwinNames() : HuggingFaceResNetNames(),
            kHuggingFaceUnused};
  }
  if (AnyStartsWith(names, kHead) || AnyStartsWith(names, "backbone.")) {
    return {"official Mask2Former", {}, kOfficialUnused};
  }
  if (AnyStartsWith(names, "layer1.0.") && names.count("conv1.weight") != 0) {
    return {"torchvision ResNet", TorchvisionNames(), kResNetUnused, true};
  }
  if (AnyStartsWith(names, "stem.") || AnyStartsWith(names, "res2.")) {
    return {"detectron2 backbone", BackboneNames(), kBackboneUnused, true};
  }
  if (AnyStartsWith(names, "patch_embed.proj.")) {
    return {"Swin", SwinNames(), kSwinUnused, true};
  }
  return {};
}

// Of an earlier release: today's name.
std::string ModernName(const std::string& name) {
  std::string modern =
      absl::StrReplaceAll(name, {{"static_query", "query_feat"}});
  absl::string_view below = modern;
  if (absl::ConsumePrefix(&below, kHead) &&
      !absl::StartsWith(below, "predictor.") &&
      !absl::StartsWith(below, "pixel_decoder.")) {
    modern = absl::StrCat(kHead, "pixel_decoder.", below);
  }
  return modern;
}

// timm's "layers_0." of feature extractors and, with `late`, downsampling that
// is counted with the stage after it: as the official files have it.
std::string OfficialSwinName(const std::string& name, bool late) {
  absl::string_view rest = name;
  if (!absl::ConsumePrefix(&rest, "layers.") &&
      !absl::ConsumePrefix(&rest, "layers_")) {
    return name;
  }
  const size_t dot = rest.find('.');
  int stage = 0;
  if (dot == absl::string_view::npos ||
      !absl::SimpleAtoi(rest.substr(0, dot), &stage)) {
    return name;
  }
  if (late && absl::StartsWith(rest.substr(dot), ".downsample.")) --stage;
  return absl::StrCat("layers.", stage, rest.substr(dot));
}

Names NamesOf(const WeightFile& file) {
  const bool all_in_module = std::all_of(
      file.tensors.begin(), file.tensors.end(),
      [](const auto& t) { return absl::StartsWith(t.first, "module."); });
  Names names;
  for (const auto& [name, tensor] : file.tensors) {
    names[all_in_module ? std::string(absl::StripPrefix(name, "module."))
                        : name] = &tensor;
  }
  return names;
}

absl::Status CheckParts(const std::string& name, const OfficialTensor& tensor,
                        size_t wanted) {
  const auto refused = [&](absl::string_view reason) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", name, "\" is made of ", wanted,
                     " tensors in the file, ", reason));
  };
  if (tensor.parts.size() != wanted) return refused("not all are there");
  const RawTensor& first = tensor.parts[0];
  for (const RawTensor& part : tensor.parts) {
    if (part.type != first.type || part.shape != first.shape ||
        part.shape.empty()) {
      return refused("which differ in shape or type");
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<int64_t> OfficialTensor::shape() const {
  std::vector<int64_t> whole = parts[0].shape;
  for (size_t i = 1; i < parts.size(); ++i) whole[0] += parts[i].shape[0];
  return whole;
}

absl::StatusOr<OfficialWeights> ToOfficialNames(const WeightFile& file) {
  const Names names = NamesOf(file);
  const Convention convention = ConventionOf(names);
  const bool swin = convention.rules.data() == SwinNames().data();
  const bool late = AnyStartsWith(names, "layers.3.downsample.") ||
                    AnyStartsWith(names, "layers_3.downsample.");
  OfficialWeights weights;
  weights.naming = convention.name;
  weights.backbone_only = convention.backbone_only;
  weights.ignored = file.ignored;
  // Of tensors in parts: how many, and which are there.
  std::map<std::string, std::map<int, RawTensor>> parts;
  std::map<std::string, size_t> wanted;
  for (const auto& [name, tensor] : names) {
    const auto unused =
        std::find_if(convention.unused.begin(), convention.unused.end(),
                     [&name = name](const Unused& row) {
                       return absl::StartsWith(name, row.start);
                     });
    if (unused != convention.unused.end()) {
      weights.ignored.push_back({name, std::string(unused->reason)});
      continue;
    }
    if (swin && absl::EndsWith(name, ".attn_mask")) {
      weights.ignored.push_back({name, "computed from the picture's size"});
      continue;
    }
    const std::optional<TranslatedName> translated =
        ToRight(swin ? OfficialSwinName(name, late) : name, convention.rules);
    std::string official = translated.has_value()     ? translated->name
                           : convention.rules.empty() ? ModernName(name)
                                                      : name;
    if (translated.has_value() && translated->rule->part >= 0) {
      parts[official].emplace(translated->rule->part, *tensor);
      wanted[official] = translated->rule->parts;
    } else if (!weights.tensors.emplace(official, OfficialTensor{{*tensor}})
                    .second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two tensors of the file mean \"", official,
                       "\", one of them is \"", name, "\""));
    }
  }
  for (auto& [name, tensors] : parts) {
    OfficialTensor whole;
    for (auto& [unused, tensor] : tensors) {
      whole.parts.push_back(std::move(tensor));
    }
    M2F_RETURN_IF_ERROR(CheckParts(name, whole, wanted[name]));
    weights.tensors[name] = std::move(whole);
  }
  return weights;
}

}  // namespace mask2former
