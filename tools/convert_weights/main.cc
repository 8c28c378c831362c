// Converts weights between frameworks.

#include <gflags/gflags.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/program.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/tools/convert_weights/convert.h"

DEFINE_string(input, "",
              "Weights: detectron2's .pkl, a .pth of torch.save, .safetensors, "
              "an index of parts, or a folder of Hugging Face's. Needed.");
DEFINE_string(output, "",
              "NAME.safetensors, NAME.pth (for LibTorch and detectron2), or a "
              "folder (for Hugging Face's from_pretrained, needs --config). "
              "Needed.");
DEFINE_string(config, "",
              "The experiment whose model the weights are for. Without it "
              "names are translated and nothing is checked.");
DEFINE_string(on_mismatch, "fail",
              "What to do with names and shapes that differ: fail; skip, which "
              "keeps the model's initial values; slice, which also takes what "
              "tensors of two shapes share, classes by their names.");
DEFINE_string(class_names, "",
              "The model's classes in order, with commas. By default those "
              "of data.folder in the config, else the file's, else those of "
              "Cityscapes for 19 or, things only, 8.");
DEFINE_string(input_class_names, "",
              "The file's classes in order, with commas, if it does not say "
              "them itself; published .pkl and .pth do not.");

namespace mask2former {
namespace {

constexpr char kUsage[] =
    R"(Reads weights of any published kind and writes them for another framework.

  bazel run //tools/convert_weights -- --input=model_final.pkl \
      --config=configs/NAME.textproto --output=model.safetensors

No step is needed before training or evaluation: "weights" in a config and
--weights read the same files. Nothing in a file is run. A table of what became
of every tensor goes to standard output.)";

absl::StatusOr<OnMismatch> ParseOnMismatch(const std::string& text) {
  if (text == "fail") return OnMismatch::kFail;
  if (text == "skip") return OnMismatch::kSkip;
  if (text == "slice") return OnMismatch::kSlice;
  return absl::InvalidArgumentError(absl::StrCat(
      "--on_mismatch must be fail, skip or slice, got \"", text, "\""));
}

absl::Status Run(const CommandLine& line) {
  if (FLAGS_input.empty() || FLAGS_output.empty()) {
    return absl::InvalidArgumentError(
        "--input and --output are needed; --help says more");
  }
  ConvertOptions options;
  options.input = ResolveUserPath(FLAGS_input);
  options.output = ResolveUserPath(FLAGS_output);
  M2F_ASSIGN_OR_RETURN(options.on_mismatch, ParseOnMismatch(FLAGS_on_mismatch));
  if (!FLAGS_class_names.empty()) {
    options.class_names = absl::StrSplit(FLAGS_class_names, ',');
  }
  if (!FLAGS_input_class_names.empty()) {
    options.input_class_names = absl::StrSplit(FLAGS_input_class_names, ',');
  }
  if (!FLAGS_config.empty()) {
    M2F_ASSIGN_OR_RETURN(
        const Experiment experiment,
        ReadExperiment(ResolveUserPath(FLAGS_config), line.overrides));
    options.model = experiment.model();
    if (options.class_names.empty()) {
      for (const FolderClass& row : experiment.data().folder().classes()) {
        options.class_names.push_back(row.name());
      }
    }
  }
  M2F_ASSIGN_OR_RETURN(const WeightsReport report, ConvertWeights(options));
  std::fputs(report.ToTable().c_str(), stdout);
  LOG(INFO) << FLAGS_output << ": " << report.ToString();
  return absl::OkStatus();
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  return mask2former::RunProgram({mask2former::kUsage, __FILE__}, argc, argv,
                                 mask2former::Run);
}
