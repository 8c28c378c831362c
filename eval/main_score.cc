// Scores predicted label images on disk, in place of the official program.
// Needs no LibTorch, so it does not use common/program.h either.

#include <gflags/gflags.h>
#include <malloc.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/flags.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/eval/cityscapes_metrics.h"
#include "mask2former/eval/generic_scores.h"
#include "mask2former/eval/instance_metrics.h"
#include "mask2former/eval/instance_report.h"
#include "mask2former/eval/panoptic_metrics.h"
#include "mask2former/eval/panoptic_report.h"
#include "mask2former/eval/python_json.h"
#include "mask2former/eval/score_instance.h"
#include "mask2former/eval/score_panoptic.h"
#include "mask2former/eval/score_semantic.h"
#include "mask2former/eval/scores_json.h"
#include "mask2former/eval/text_color.h"

DEFINE_string(task, "semantic",
              "What to score. \"semantic\": 8-bit PNGs of label ids, against "
              "labelIds and instanceIds images. \"instance\": text files of "
              "masks, classes and scores, against instanceIds images. "
              "\"panoptic\": a JSON file and PNGs of segments, against the "
              "same, or against instanceIds images.");
DEFINE_string(ground_truth, "",
              "Folder of a split with a folder for each city, for instance "
              "/data/cityscapes/gtFine/val; panoptic: this, or "
              "cityscapes_panoptic_val.json with its folder of PNGs.");
DEFINE_string(
    predictions, "",
    "Folder with one <city>_<sequence>_<frame>*.png (instance: *.txt) "
    "for each image of the ground truth, at any depth. Panoptic: "
    "X.json, with its PNGs in the folder X.");
DEFINE_string(json, "", "File for the results; none by default.");
DEFINE_bool(valid_json, false,
            "Write undefined scores to the file as null. The official program "
            "writes NaN, which is not JSON, and so does this one by default.");
DEFINE_bool(
    train_ids, false,
    "The predictions hold train ids (0..18, 255) and not label ids; for "
    "--task=semantic.");
DEFINE_int32(threads, 0, "Images read at a time; 0: one per core.");
DEFINE_bool(quiet, false, "Print nothing.");
DEFINE_string(color, "auto",
              "\"always\", \"never\", or \"auto\": if the output is a "
              "terminal.");

namespace mask2former {
namespace {

absl::StatusOr<TextColor> ParseColor(const std::string& value) {
  if (value == "always") return TextColor::kOn;
  if (value == "never") return TextColor::kOff;
  if (value == "auto") {
    return isatty(STDOUT_FILENO) ? TextColor::kOn : TextColor::kOff;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--color=", value, " is none of \"always\", \"never\", \"auto\""));
}

JsonNan Nan() { return FLAGS_valid_json ? JsonNan::kNull : JsonNan::kBare; }

absl::Status WriteJson(const std::string& json) {
  if (FLAGS_json.empty()) return absl::OkStatus();
  return WriteFileAtomically(ResolveUserPath(FLAGS_json), json);
}

absl::Status Semantic(TextColor color) {
  ScoreSemanticOptions options;
  options.ground_truth = ResolveUserPath(FLAGS_ground_truth);
  options.predictions = ResolveUserPath(FLAGS_predictions);
  options.holds_train_ids = FLAGS_train_ids;
  options.threads = FLAGS_threads;
  options.quiet = FLAGS_quiet;
  options.color = color;
  M2F_ASSIGN_OR_RETURN(const CityscapesMetrics metrics,
                       ScoreSemantic(options, std::cout));
  if (!FLAGS_quiet) {
    std::cout << GenericLine(GenericCityscapesScores(metrics.confusion()))
              << std::flush;
  }
  if (LooksLikeTrainIds(metrics.confusion())) {
    std::cerr << "warning: the predictions look like train ids, which makes "
                 "these scores meaningless: if so, pass --train_ids"
              << std::endl;
  }
  return WriteJson(OfficialJson(metrics, Nan()));
}

absl::Status Instance(TextColor color) {
  ScoreInstanceOptions options;
  options.ground_truth = ResolveUserPath(FLAGS_ground_truth);
  options.predictions = ResolveUserPath(FLAGS_predictions);
  options.threads = FLAGS_threads;
  options.quiet = FLAGS_quiet;
  options.color = color;
  M2F_ASSIGN_OR_RETURN(const InstanceMetrics metrics,
                       ScoreInstance(options, std::cout));
  return WriteJson(InstanceJson(metrics.Compute(), Nan()));
}

absl::Status Panoptic() {
  ScorePanopticOptions options;
  options.ground_truth = ResolveUserPath(FLAGS_ground_truth);
  options.predictions = ResolveUserPath(FLAGS_predictions);
  options.threads = FLAGS_threads;
  options.quiet = FLAGS_quiet;
  M2F_ASSIGN_OR_RETURN(const PanopticMetrics metrics,
                       ScorePanoptic(options, std::cout));
  return WriteJson(PanopticJson(metrics.Compute(), Nan()));
}

absl::Status Score() {
  if (FLAGS_task != "semantic" && FLAGS_task != "instance" &&
      FLAGS_task != "panoptic") {
    return absl::InvalidArgumentError(
        absl::StrCat("--task=", FLAGS_task,
                     " is none of \"semantic\", \"instance\", \"panoptic\""));
  }
  if (FLAGS_ground_truth.empty() || FLAGS_predictions.empty()) {
    return absl::InvalidArgumentError(
        "--ground_truth and --predictions are both needed, see --help");
  }
  if (FLAGS_threads < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--threads=", FLAGS_threads, " is negative"));
  }
  if (FLAGS_train_ids && FLAGS_task != "semantic") {
    return absl::InvalidArgumentError(absl::StrCat(
        "--train_ids is for --task=semantic; the files of --task=", FLAGS_task,
        " hold label ids"));
  }
  M2F_ASSIGN_OR_RETURN(const TextColor color, ParseColor(FLAGS_color));
  if (FLAGS_task == "panoptic") return Panoptic();
  return FLAGS_task == "semantic" ? Semantic(color) : Instance(color);
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  // Keep the memory of one image for the next instead of giving it back to the
  // system and having its pages cleared anew.
  mallopt(M_MMAP_THRESHOLD, 1 << 26);
  mallopt(M_TRIM_THRESHOLD, 1 << 28);
  constexpr char kUsage[] =
      "Scores predictions on disk as the official Cityscapes programs do.\n\n"
      "  score --ground_truth=/data/cityscapes/gtFine/val "
      "--predictions=results --json=scores.json";
  const auto line = mask2former::ParseFlags(
      __FILE__, std::vector<std::string>(argv + 1, argv + argc));
  if (line.ok() && line->help) {
    std::cout << mask2former::FlagsHelp(kUsage, __FILE__, /*with_set=*/false);
    return 0;
  }
  absl::Status status = line.status();
  if (line.ok() && !line->overrides.empty()) {
    status = absl::InvalidArgumentError(
        "unknown flag --set: this program reads no settings");
  }
  if (status.ok()) status = mask2former::Score();
  if (!status.ok()) std::cerr << "error: " << status.message() << std::endl;
  return status.ok() ? 0 : 1;
}
