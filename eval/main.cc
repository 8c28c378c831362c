// Segments a split with a trained model and scores it.

#include <gflags/gflags.h>

#include <iostream>

#include "absl/status/status.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/program.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/eval/main_evaluate.h"

DEFINE_string(config, "", "The experiment, a .textproto. Needed.");
DEFINE_string(weights, "",
              "Weight file, checkpoint, or output folder of a run, whose "
              "newest checkpoint is taken. By default the experiment's "
              "output_dir.");
DEFINE_string(
    output_dir, "",
    "Folder for metrics.json, report.html, pictures/ and predictions/; with "
    "--tta metrics_tta.json and so on. By default evaluation/ in the "
    "experiment's output_dir.");
DEFINE_string(split, "",
              "Folder below leftImg8bit/ and gtFine/. By default the "
              "experiment's data.val_split. With data.folder: \"val\", the "
              "default, or \"train\".");
DEFINE_bool(write_predictions, false,
            "Whether to write what was predicted to predictions/, in a folder "
            "for each task and in the formats that //eval:score and the "
            "benchmark's server take. With data.folder: class numbers from 0.");
DEFINE_bool(tta, false,
            "Test-time augmentation: labels from the mean over several sizes "
            "and the mirror image, eval.tta in the experiment. Semantic task "
            "only; 17 times the work with the official sizes.");
DEFINE_bool(valid_json, false,
            "Write undefined scores as null. The official program writes NaN, "
            "which is not JSON, and so does this one by default.");

namespace mask2former {
namespace {

constexpr char kUsage[] =
    R"(Segments the pictures of a split with a trained model and scores them as the
official Cityscapes programs do: the tasks that the experiment switches on,
model.inference.semantic_on, panoptic_on and instance_on. Pictures and classes
of your own (data.folder) are scored by IoU and accuracy of each class.

  bazel run //eval:main -- --config=configs/NAME.textproto \
      --weights=model.safetensors --set=data.root=/data/cityscapes)";

absl::Status Run(const CommandLine& line) {
  if (FLAGS_config.empty()) {
    return absl::InvalidArgumentError("--config is needed; --help says more");
  }
  M2F_ASSIGN_OR_RETURN(
      const Experiment experiment,
      ReadExperiment(ResolveUserPath(FLAGS_config), line.overrides));
  EvaluateExperimentOptions options;
  options.weights = FLAGS_weights;
  options.output_dir = FLAGS_output_dir;
  options.split = FLAGS_split;
  options.write_predictions = FLAGS_write_predictions;
  options.tta = FLAGS_tta;
  options.valid_json = FLAGS_valid_json;
  return EvaluateExperiment(experiment, options, std::cout).status();
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  return mask2former::RunProgram({mask2former::kUsage, __FILE__}, argc, argv,
                                 mask2former::Run);
}
