#include "mask2former/eval/main_evaluate.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/problem_list.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/configs/load_segmentor.h"
#include "mask2former/data/build_data_loader.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/data/data_files.h"
#include "mask2former/data/folder_dataset.h"
#include "mask2former/data/scene/generated_data.h"
#include "mask2former/eval/eval_config.pb.h"
#include "mask2former/eval/evaluation_report.h"
#include "mask2former/eval/evaluator.h"
#include "mask2former/eval/folder_evaluator.h"
#include "mask2former/eval/html_report.h"
#include "mask2former/eval/progress_lines.h"

namespace mask2former {
namespace {

constexpr char kPredictHint[] =
    "\nWith --write_predictions a split without labels is not scored";

// The pictures of the split, drawn first if the experiment says so.
absl::StatusOr<std::vector<CityscapesFrame>> Frames(DataConfig data,
                                                    const std::string& split,
                                                    bool write_predictions) {
  data.set_root(ResolveUserPath(data.root()));
  M2F_RETURN_IF_ERROR(ValidateDataConfig(data));
  M2F_RETURN_IF_ERROR(EnsureGeneratedData(data));
  absl::StatusOr<std::vector<CityscapesFrame>> frames =
      ListCityscapes(data.root(), split,
                     write_predictions ? CityscapesLabelFolder::kIfThere
                                       : CityscapesLabelFolder::kNeeded);
  if (absl::IsNotFound(frames.status()) && !write_predictions &&
      ListCityscapes(data.root(), split, CityscapesLabelFolder::kIfThere)
          .ok()) {
    return absl::NotFoundError(
        absl::StrCat(frames.status().message(), kPredictHint));
  }
  return frames;
}

// Whether the split can be scored: every picture has the ground truth that the
// tasks of the experiment need.
absl::StatusOr<bool> HasTruth(const std::vector<CityscapesFrame>& frames,
                              const std::string& split,
                              const Experiment& experiment,
                              bool write_predictions) {
  const InferenceConfig& inference = experiment.model().inference();
  const DataConfig::LabelSource source = experiment.data().label_source();
  const bool needs_instances =
      inference.panoptic_on() || inference.instance_on();
  std::vector<std::string> missing;
  if (inference.semantic_on()) missing = FindMissingLabels(frames, source);
  bool none = true;
  for (const CityscapesFrame& frame : frames) {
    const bool has_instances = DataFileExists(frame.instance_ids_path);
    if (needs_instances && !has_instances) {
      missing.push_back(absl::StrCat(frame.instance_ids_path,
                                     " is missing, the instances of ",
                                     frame.image_path));
    }
    if ((has_instances || !needs_instances) &&
        (!inference.semantic_on() ||
         DataFileExists(frame.label_path(source)))) {
      none = false;
    }
  }
  if (none && write_predictions) {
    LOG(WARNING) << "split " << split
                 << " has no label images: there will be no scores";
    return false;
  }
  const absl::Status status =
      ListProblemsOf(absl::StrCat("split ", split), missing);
  if (!status.ok() && none) {
    return absl::Status(status.code(),
                        absl::StrCat(status.message(), kPredictHint));
  }
  M2F_RETURN_IF_ERROR(status);
  return true;
}

constexpr size_t kWorstPictures = 10;

// What names of files end in: results of test-time augmentation lie beside the
// others.
const char* Suffix(bool test_time_augmentation) {
  return test_time_augmentation ? "_tta" : "";
}

// The experiment's settings and the options'.
EvalConfig EvalOf(const Experiment& experiment,
                  const EvaluateExperimentOptions& options) {
  EvalConfig eval = experiment.eval();
  if (options.tta) eval.mutable_tta()->set_enabled(true);
  return eval;
}

// The archive has label images of the test split that say nothing.
void WarnOfVoid(const Evaluation& evaluation, const std::string& split,
                const std::string& predictions_dir) {
  if (!IsAllVoid(evaluation)) return;
  LOG(WARNING) << "all labels of split " << split
               << " are void: its scores are undefined; the benchmark's server "
                  "scores "
               << (predictions_dir.empty() ? "what --write_predictions writes"
                                           : predictions_dir);
}

absl::Status Report(const Evaluation& evaluation, const std::string& output_dir,
                    const HtmlReportInfo& info, bool scored, bool valid_json,
                    std::ostream& console) {
  const char* suffix = Suffix(evaluation.test_time_augmentation);
  if (scored) {
    console << EvaluationTables(evaluation) << std::flush;
    M2F_RETURN_IF_ERROR(WriteFileAtomically(
        absl::StrCat(output_dir, "/metrics", suffix, ".json"),
        MetricsJson(evaluation, valid_json ? JsonNan::kNull : JsonNan::kBare)));
    M2F_ASSIGN_OR_RETURN(const std::string html, HtmlReport(evaluation, info));
    M2F_RETURN_IF_ERROR(WriteFileAtomically(
        absl::StrCat(output_dir, "/report", suffix, ".html"), html));
  }
  LOG(INFO) << absl::StrFormat(
      "%.3f s for a picture: %.3f s computing, the rest waiting for files, "
      "scoring and writing (mean of %d)",
      evaluation.speed.total_seconds, evaluation.speed.compute_seconds,
      evaluation.speed.images);
  LOG(INFO) << "results are in " << output_dir;
  return absl::OkStatus();
}

std::string OutputDir(const Experiment& experiment,
                      const EvaluateExperimentOptions& options) {
  return ResolveUserPath(
      options.output_dir.empty()
          ? absl::StrCat(experiment.output_dir(), "/evaluation")
          : options.output_dir);
}

HtmlReportInfo ReportInfo(const Experiment& experiment,
                          const EvaluateExperimentOptions& options,
                          const std::string& split, int64_t images) {
  HtmlReportInfo info;
  info.title = absl::StrCat(
      std::filesystem::path(experiment.output_dir()).filename().string(), ", ",
      split);
  info.images = images;
  info.weights =
      options.weights.empty() ? experiment.output_dir() : options.weights;
  return info;
}

// The pictures of data.folder.
absl::StatusOr<std::unique_ptr<FolderDataset>> FolderPictures(
    DataConfig data, const std::string& split) {
  data.set_root(ResolveUserPath(data.root()));
  if (split == "val") return BuildFolderValDataset(data);
  if (split != "train") {
    return absl::InvalidArgumentError(absl::StrCat(
        "--split=", split,
        ": with data.folder there are \"train\" (train_images, train_labels) "
        "and \"val\" (val_images, val_labels)"));
  }
  M2F_RETURN_IF_ERROR(ValidateDataConfig(data));
  return FolderDataset::Create(data.root(), data.folder(),
                               FolderDataset::Split::kTrain);
}

absl::StatusOr<Evaluation> EvaluateOwnPictures(
    const Experiment& experiment, const EvaluateExperimentOptions& options,
    std::ostream& console) {
  const std::string split = options.split.empty() ? "val" : options.split;
  const std::string output_dir = OutputDir(experiment, options);
  M2F_ASSIGN_OR_RETURN(const std::unique_ptr<FolderDataset> pictures,
                       FolderPictures(experiment.data(), split));
  FolderEvaluatorOptions evaluator_options;
  evaluator_options.eval = EvalOf(experiment, options);
  const char* suffix = Suffix(evaluator_options.eval.tta().enabled());
  evaluator_options.input = experiment.data().input();
  evaluator_options.inference = experiment.model().inference();
  evaluator_options.pictures_dir =
      absl::StrCat(output_dir, "/pictures", suffix);
  if (options.write_predictions) {
    evaluator_options.predictions_dir =
        absl::StrCat(output_dir, "/predictions", suffix);
  }
  evaluator_options.num_worst = kWorstPictures;
  evaluator_options.progress = ProgressLines();
  M2F_ASSIGN_OR_RETURN(const std::shared_ptr<Segmentor> segmentor,
                       LoadSegmentor(experiment, options.weights));
  M2F_RETURN_IF_ERROR(CreateDirectories(output_dir));
  M2F_ASSIGN_OR_RETURN(
      Evaluation evaluation,
      EvaluateFolder(*pictures, evaluator_options, *segmentor));
  M2F_RETURN_IF_ERROR(
      Report(evaluation, output_dir,
             ReportInfo(experiment, options, split, pictures->size()),
             /*scored=*/true, options.valid_json, console));
  return evaluation;
}

}  // namespace

absl::StatusOr<Evaluation> EvaluateExperiment(
    const Experiment& experiment, const EvaluateExperimentOptions& options,
    std::ostream& console) {
  if (experiment.data().has_folder()) {
    return EvaluateOwnPictures(experiment, options, console);
  }
  const std::string split =
      options.split.empty() ? experiment.data().val_split() : options.split;
  const std::string output_dir = OutputDir(experiment, options);
  M2F_ASSIGN_OR_RETURN(
      const std::vector<CityscapesFrame> frames,
      Frames(experiment.data(), split, options.write_predictions));
  EvaluatorOptions evaluator_options;
  M2F_ASSIGN_OR_RETURN(
      evaluator_options.score,
      HasTruth(frames, split, experiment, options.write_predictions));
  evaluator_options.eval = EvalOf(experiment, options);
  const char* suffix = Suffix(evaluator_options.eval.tta().enabled());
  evaluator_options.num_worst = kWorstPictures;
  evaluator_options.label_source = experiment.data().label_source();
  evaluator_options.input = experiment.data().input();
  evaluator_options.inference = experiment.model().inference();
  evaluator_options.pictures_dir =
      absl::StrCat(output_dir, "/pictures", suffix);
  if (options.write_predictions) {
    evaluator_options.predictions_dir =
        absl::StrCat(output_dir, "/predictions", suffix);
  }
  evaluator_options.progress = ProgressLines();

  M2F_ASSIGN_OR_RETURN(const std::shared_ptr<Segmentor> segmentor,
                       LoadSegmentor(experiment, options.weights));
  M2F_RETURN_IF_ERROR(CreateDirectories(output_dir));
  M2F_ASSIGN_OR_RETURN(Evaluation evaluation,
                       Evaluate(frames, evaluator_options, *segmentor));
  if (evaluator_options.score) {
    WarnOfVoid(evaluation, split, evaluator_options.predictions_dir);
  }
  M2F_RETURN_IF_ERROR(Report(evaluation, output_dir,
                             ReportInfo(experiment, options, split,
                                        static_cast<int64_t>(frames.size())),
                             evaluator_options.score, options.valid_json,
                             console));
  return evaluation;
}

}  // namespace mask2former
