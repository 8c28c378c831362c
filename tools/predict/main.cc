// Segments pictures with a trained model.

#include <gflags/gflags.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/program.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/configs/load_segmentor.h"
#include "mask2former/data/class_map.h"
#include "mask2former/tools/predict/input_files.h"
#include "mask2former/tools/predict/predict_files.h"
#include "mask2former/tools/predict/prediction_files.h"

DEFINE_string(config, "", "The experiment, a .textproto. Needed.");
DEFINE_string(weights, "",
              "Weight file, checkpoint, or output folder of a run, whose "
              "newest checkpoint is taken. By default the experiment's "
              "output_dir.");
DEFINE_string(input, "",
              "A picture, a folder with pictures in it and below, or a quoted "
              "pattern such as 'frames/*.jpg'. Needed.");
DEFINE_string(output, "predictions",
              "Folder for the results; made if missing.");
DEFINE_string(
    save, "",
    "What to write, a list out of overlay, color (8-bit RGB), "
    "label_ids, train_ids (8-bit gray), confidence (gray: share of "
    "the best class in the sum of all classes' scores), raw "
    "(safetensors with pred_logits and pred_masks), raw_scores (the "
    "same with sem_seg), panoptic (JSON and PNG of segments), "
    "panoptic_overlay, instances (text file and a mask each) and "
    "instance_overlay. The experiment must switch on the task: "
    "model.inference.semantic_on, panoptic_on, instance_on. By "
    "default the overlay of each task that it switches on; with --tta "
    "overlay. With classes of your own (data.folder): overlay, color, "
    "train_ids "
    "(class numbers), confidence, raw, raw_scores.");
DEFINE_int32(confidence_bits, 8, "8 or 16 bits per pixel of confidence.");
DEFINE_bool(tta, false,
            "Test-time augmentation: labels from the mean over several sizes "
            "and the mirror image, eval.tta in the experiment. For --save= "
            "overlay, color, label_ids, train_ids and confidence.");
DEFINE_bool(overwrite, false,
            "Whether to do pictures again whose results are there.");

namespace mask2former {
namespace {

constexpr char kUsage[] =
    R"(Segments pictures with a trained model: labels, segments or instances.

  bazel run //tools/predict -- --config=configs/NAME.textproto \
      --weights=model.safetensors --input=street.jpg --output=predictions

Results have the size of the picture. A picture that cannot be read is reported
and the others are done; the exit code is then 1.)";

absl::Status Run(const CommandLine& line) {
  if (FLAGS_config.empty() || FLAGS_input.empty()) {
    return absl::InvalidArgumentError(
        "--config and --input are needed; --help says more");
  }
  PredictOptions options;
  options.output = ResolveUserPath(FLAGS_output);
  options.confidence_bits = FLAGS_confidence_bits;
  options.overwrite = FLAGS_overwrite;
  M2F_ASSIGN_OR_RETURN(const std::vector<InputFile> files,
                       FindInputFiles(ResolveUserPath(FLAGS_input)));
  M2F_ASSIGN_OR_RETURN(
      const Experiment experiment,
      ReadExperiment(ResolveUserPath(FLAGS_config), line.overrides));
  if (experiment.data().has_folder()) {
    M2F_ASSIGN_OR_RETURN(const ClassMap classes,
                         ClassMap::Create(experiment.data().folder()));
    options.own_colors = classes.colors();
  }
  options.input = experiment.data().input();
  options.inference = experiment.model().inference();
  options.tta = experiment.eval().tta();
  if (FLAGS_tta) options.tta.set_enabled(true);
  options.kinds =
      DefaultPredictionFiles(options.inference, options.tta.enabled());
  if (!FLAGS_save.empty()) {
    M2F_ASSIGN_OR_RETURN(options.kinds, ParsePredictionFiles(FLAGS_save));
  }
  M2F_ASSIGN_OR_RETURN(const std::shared_ptr<Segmentor> segmentor,
                       LoadSegmentor(experiment, FLAGS_weights));
  M2F_ASSIGN_OR_RETURN(const PredictSummary summary,
                       PredictFiles(files, options, *segmentor));
  LOG(INFO) << summary.ToString();
  if (summary.failed > 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        summary.failed, " of ", files.size(), " pictures failed, see above"));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  return mask2former::RunProgram({mask2former::kUsage, __FILE__}, argc, argv,
                                 mask2former::Run);
}
