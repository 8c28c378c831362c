#include "mask2former/tools/convert_weights/convert.h"

#include <ATen/Context.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/network_classes.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/weights/hugging_face_names.h"
#include "mask2former/model/weights/official_names.h"
#include "mask2former/model/weights/view_tensor.h"
#include "mask2former/model/weights/weight_file.h"
#include "mask2former/model/weights/write_torch_file.h"
#include "mask2former/tools/convert_weights/hugging_face_config.h"

namespace mask2former {
namespace {

using State = std::map<std::string, at::Tensor>;

constexpr char kLossWeights[] = "criterion.empty_weight";
constexpr double kNoObjectWeight = 0.1;  // Of the published models.

enum class Output { kSafetensors, kTorch, kFolder };

absl::StatusOr<Output> OutputOf(const std::string& path) {
  if (absl::EndsWith(path, ".safetensors")) return Output::kSafetensors;
  if (absl::EndsWith(path, ".pth") || absl::EndsWith(path, ".pt")) {
    return Output::kTorch;
  }
  const size_t name = path.rfind('/') + 1;  // 0 if there is none.
  if (path.find('.', name) == std::string::npos) return Output::kFolder;
  return absl::InvalidArgumentError(absl::StrCat(
      "the output \"", path,
      "\" must end in .safetensors or .pth, or be a folder for Hugging Face"));
}

// The names of a model's classes, as far as they are known.
std::vector<std::string> ClassNames(const ConvertOptions& options,
                                    const std::vector<std::string>& of_file) {
  if (!options.class_names.empty() || !options.model.has_value()) {
    return options.class_names.empty() ? of_file : options.class_names;
  }
  const size_t classes = options.model->num_classes();
  if (of_file.size() == classes) return of_file;
  std::vector<std::string> names;
  const absl::StatusOr<NetworkClasses> cityscapes =
      CityscapesNetworkClasses(static_cast<int64_t>(classes));
  if (cityscapes.ok()) {
    for (const int label_id : cityscapes->label_ids) {
      names.emplace_back(CityscapesLabels()[label_id].name);
    }
  }
  return names;
}

absl::StatusOr<State> Translate(const WeightFile& file, WeightsReport& report) {
  M2F_ASSIGN_OR_RETURN(const OfficialWeights weights, ToOfficialNames(file));
  report.format = file.format;
  report.naming = weights.naming;
  report.explained = weights.ignored;
  State state;
  for (const auto& [name, tensor] : weights.tensors) {
    std::vector<at::Tensor> parts;
    for (const RawTensor& part : tensor.parts) {
      M2F_ASSIGN_OR_RETURN(parts.emplace_back(), ViewTensor(part));
    }
    state[name] = parts.size() == 1 ? parts[0] : at::cat(parts);
    report.matched.push_back(name);
  }
  return state;
}

absl::Status WriteFolder(const std::string& path, const ModelConfig& model,
                         const State& state,
                         const std::vector<std::string>& class_names,
                         const std::map<std::string, std::string>& metadata) {
  M2F_ASSIGN_OR_RETURN(const State named, ToHuggingFaceNames(state));
  M2F_ASSIGN_OR_RETURN(const std::string config,
                       HuggingFaceConfig(model, class_names));
  M2F_RETURN_IF_ERROR(CreateDirectories(path));
  M2F_RETURN_IF_ERROR(
      WriteSafetensors(path + "/model.safetensors", named, metadata));
  return WriteFileAtomically(path + "/config.json", config);
}

}  // namespace

absl::StatusOr<WeightsReport> ConvertWeights(const ConvertOptions& options) {
  M2F_ASSIGN_OR_RETURN(const Output output, OutputOf(options.output));
  if (output == Output::kFolder && !options.model.has_value()) {
    return absl::InvalidArgumentError(
        "a folder for Hugging Face needs a config: --config");
  }
  M2F_ASSIGN_OR_RETURN(const WeightFile file, ReadWeightFile(options.input));
  const std::vector<std::string> class_names =
      ClassNames(options, file.class_names.empty() ? options.input_class_names
                                                   : file.class_names);
  WeightsReport report;
  State state;
  std::shared_ptr<Segmentor> segmentor;
  if (options.model.has_value()) {
    if (!options.class_names.empty() &&
        static_cast<int>(options.class_names.size()) !=
            options.model->num_classes()) {
      return absl::InvalidArgumentError(absl::StrCat(
          options.class_names.size(), " class names for a model of ",
          options.model->num_classes(), " classes"));
    }
    at::manual_seed(0);  // What the file lacks is the same every time.
    M2F_ASSIGN_OR_RETURN(segmentor, BuildSegmentor(*options.model));
    LoadOptions load;
    const bool strict = options.on_mismatch == OnMismatch::kFail;
    load.on_mismatch = strict ? OnMismatch::kSkip : options.on_mismatch;
    load.allow_backbone_only = true;
    load.class_names = class_names;
    load.file_class_names = options.input_class_names;
    M2F_ASSIGN_OR_RETURN(report, LoadWeights(options.input, load, *segmentor));
    if (strict && !report.complete()) {
      return absl::InvalidArgumentError(
          absl::StrCat(options.input, ": the weights do not fit the model:\n",
                       report.ToTable(/*with_matched=*/false)));
    }
    state = NamedState(*segmentor);
    if (output != Output::kSafetensors) {
      state[kLossWeights] = at::ones({options.model->num_classes() + 1});
      state[kLossWeights].select(0, -1).fill_(kNoObjectWeight);
    }
  } else {
    M2F_ASSIGN_OR_RETURN(state, Translate(file, report));
  }
  std::map<std::string, std::string> metadata = {{"format", "pt"}};
  if (!class_names.empty()) {
    metadata["class_names"] = nlohmann::json(class_names).dump();
  }
  switch (output) {
    case Output::kSafetensors:
      M2F_RETURN_IF_ERROR(WriteSafetensors(options.output, state, metadata));
      break;
    case Output::kTorch:
      // Names of today; see the official loader's _load_from_state_dict.
      M2F_RETURN_IF_ERROR(WriteTorchFile(
          options.output, state,
          {{"", 1}, {"sem_seg_head", 2}, {"sem_seg_head.predictor", 2}}));
      break;
    case Output::kFolder:
      M2F_RETURN_IF_ERROR(WriteFolder(options.output, *options.model, state,
                                      class_names, metadata));
      break;
  }
  return report;
}

}  // namespace mask2former
