#include "mask2former/train/main_run.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <google/protobuf/util/message_differencer.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mask2former/common/autocast.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/random_points.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/text_proto.h"
#include "mask2former/data/build_data_loader.h"
#include "mask2former/data/check_cityscapes.h"
#include "mask2former/data/scene/generated_data.h"
#include "mask2former/eval/evaluation_report.h"
#include "mask2former/eval/evaluator.h"
#include "mask2former/eval/progress_lines.h"
#include "mask2former/matcher/build_matcher.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/checkpoint.h"
#include "mask2former/train/banner.h"
#include "mask2former/train/choose_device.h"
#include "mask2former/train/folder_validation.h"
#include "mask2former/train/interrupt.h"
#include "mask2former/train/optimizer/build_optimizer.h"
#include "mask2former/train/run_checkpoint.h"
#include "mask2former/train/run_directory.h"
#include "mask2former/train/trainer.h"

namespace mask2former {
namespace {

// What must not change when a run goes on: everything but where and how often
// it writes, and how it is fed. Seeds have been settled before.
Experiment WhatMatters(Experiment experiment) {
  experiment.clear_output_dir();
  experiment.clear_eval();
  experiment.clear_weights();
  experiment.mutable_trainer()->Clear();
  experiment.mutable_data()->clear_root();
  experiment.mutable_data()->mutable_loader()->clear_num_workers();
  experiment.mutable_data()->mutable_loader()->clear_prefetch();
  return WithDefaults(experiment);
}

absl::Status CheckSameConfig(const Experiment& now, const std::string& then,
                             const std::string& checkpoint) {
  Experiment stored;
  M2F_RETURN_IF_ERROR(
      ParseConfig(then, absl::StrCat(checkpoint, "/config.textproto"), stored));
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  if (differencer.Compare(WhatMatters(stored), WhatMatters(now))) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "the settings are not those of ", checkpoint, ":\n", difference,
      "Undo the change, or add --allow_config_change to go on all the same"));
}

// Draws the data set if the experiment says so and it is not there yet; checks
// it, every label once for a new run.
absl::Status PrepareData(const Experiment& experiment, bool was_checked) {
  if (experiment.data().has_generated()) {
    M2F_RETURN_IF_ERROR(EnsureGeneratedData(experiment.data()));
  }
  // What Evaluate() reads; labels alone give all scores but nIoU, of which it
  // warns.
  const InferenceConfig& inference = experiment.model().inference();
  CityscapesCheckOptions options;
  options.needs_labels = inference.semantic_on();
  options.needs_instance_ids =
      inference.panoptic_on() || inference.instance_on();
  if (was_checked) options.max_files = 8;
  return CheckCityscapes(experiment.data(), options);
}

// Scores the model on the validation split, leaves scores and pictures in
// eval/step_N/.
class SplitValidation final : public Trainer::Validation {
 public:
  // The arguments outlive it.
  SplitValidation(const Experiment& experiment, const std::string& output_dir,
                  const CityscapesDataset& frames,
                  const InterruptGuard& interrupt, Segmentor& segmentor)
      : experiment_(experiment),
        output_dir_(output_dir),
        frames_(frames),
        interrupt_(interrupt),
        segmentor_(segmentor) {}

  absl::StatusOr<EvaluationRecord> Run(int64_t iteration) override {
    EvaluatorOptions options;
    options.eval = experiment_.eval();
    options.eval.mutable_tta()->set_enabled(false);  // As the original.
    options.label_source = experiment_.data().label_source();
    options.input = experiment_.data().input();
    options.inference = experiment_.model().inference();
    options.pictures_dir = Folder(iteration);
    options.progress = ProgressLines([this] {
      return interrupt_.signal() == 0
                 ? absl::OkStatus()
                 : absl::CancelledError("evaluation interrupted");
    });
    M2F_ASSIGN_OR_RETURN(const Evaluation evaluation,
                         Evaluate(frames_.frames(), options, segmentor_));
    EvaluationRecord record;
    record.table = EvaluationTables(evaluation);
    record.metrics = MainScores(evaluation);
    record.seconds_per_image = evaluation.speed.total_seconds;
    for (const EvaluationPicture& picture : evaluation.pictures) {
      record.pictures.push_back({picture.name, picture.path, picture.strip});
    }
    json_ = MetricsJson(evaluation);
    return record;
  }

  absl::Status MarkDone(int64_t iteration) override {
    return WriteFileAtomically(MetricsPath(iteration), json_);
  }
  bool IsDone(int64_t iteration) const override {
    return FileExists(MetricsPath(iteration));
  }

 private:
  std::string Folder(int64_t iteration) const {
    return absl::StrCat(output_dir_, "/eval/step_", iteration);
  }
  std::string MetricsPath(int64_t iteration) const {
    return absl::StrCat(Folder(iteration), "/metrics.json");
  }

  const Experiment& experiment_;
  const std::string output_dir_;
  const CityscapesDataset& frames_;
  const InterruptGuard& interrupt_;
  Segmentor& segmentor_;
  std::string json_;  // Of the newest evaluation.
};

BannerInfo Describe(const Experiment& experiment, const torch::Device& device,
                    Precision precision, int64_t seed, const Dataset& training,
                    const Dataset& validation) {
  const ResNetConfig& resnet = experiment.model().backbone().resnet();
  BannerInfo info;
  info.backbone = absl::StrCat("resnet ", resnet.depth());
  info.device = device.str();
  info.precision = precision == Precision::kFloat16    ? "float16 autocast"
                   : precision == Precision::kBFloat16 ? "bfloat16 autocast"
                                                       : "float32";
  info.num_threads = at::get_num_threads();
  info.seed = seed;
  info.train_images = training.size();
  info.val_images = validation.size();
  info.global_batch_size = experiment.solver().global_batch_size();
  info.micro_batch_size = experiment.solver().micro_batch_size();
  info.max_iter = experiment.solver().max_iter();
  info.trains_batch_norm = resnet.norm() != ResNetConfig::FROZEN_BN;
  info.data_root = experiment.data().root();
  info.output_dir = experiment.output_dir();
  return info;
}
// What solver.precision means on `device`.
absl::StatusOr<Precision> ChoosePrecision(SolverConfig::Precision precision,
                                          const torch::Device& device) {
  switch (precision) {
    case SolverConfig::AUTOMATIC:
      return device.is_cuda() ? Precision::kFloat16 : Precision::kFloat32;
    case SolverConfig::FLOAT32:
      return Precision::kFloat32;
    case SolverConfig::BFLOAT16:
      return Precision::kBFloat16;
    case SolverConfig::FLOAT16:
      break;
  }
  if (!device.is_cpu()) return Precision::kFloat16;
  return absl::InvalidArgumentError(
      "solver.precision: FLOAT16 needs a GPU, and this run is on the CPU; "
      "AUTOMATIC takes what suits the device, BFLOAT16 and FLOAT32 run "
      "everywhere");
}

}  // namespace

absl::Status RunTraining(const Experiment& given, const RunOptions& options,
                         LogFile& log) {
  if (options.resume && options.overwrite) {
    return absl::InvalidArgumentError(
        "--resume and --overwrite exclude each other: go on with the run that "
        "is there, or move it away");
  }
  Experiment experiment = given;
  experiment.mutable_data()->set_root(
      ResolveUserPath(experiment.data().root()));
  const std::string output_dir = ResolveUserPath(experiment.output_dir());
  experiment.set_output_dir(output_dir);
  if (experiment.trainer().num_threads() > 0) {
    at::set_num_threads(experiment.trainer().num_threads());
  }

  // First everything that may be wrong, then what leaves traces.
  M2F_ASSIGN_OR_RETURN(const torch::Device device,
                       ChooseDevice(experiment.trainer().device()));
  M2F_ASSIGN_OR_RETURN(
      const Precision precision,
      ChoosePrecision(experiment.solver().precision(), device));
  std::string checkpoint;
  TrainingState state;
  if (options.resume && !options.dry_run) {
    M2F_ASSIGN_OR_RETURN(const std::vector<std::string> checkpoints,
                         ListRunCheckpoints(output_dir));
    if (!checkpoints.empty()) {
      checkpoint = checkpoints.back();
      M2F_ASSIGN_OR_RETURN(state, ReadTrainingState(checkpoint));
    }
  }
  // A run that goes on keeps its seed, also one that was drawn.
  const int64_t seed = !checkpoint.empty() ? state.seed
                       : experiment.trainer().seed() >= 0
                           ? experiment.trainer().seed()
                           : std::random_device()();
  experiment.mutable_trainer()->set_seed(seed);
  if (!experiment.data().loader().has_seed()) {
    experiment.mutable_data()->mutable_loader()->set_seed(seed);
  }
  if (!checkpoint.empty() && !options.allow_config_change) {
    M2F_RETURN_IF_ERROR(CheckSameConfig(experiment, state.config, checkpoint));
  }
  const SolverConfig& solver = experiment.solver();
  at::manual_seed(static_cast<uint64_t>(seed));
  M2F_ASSIGN_OR_RETURN(const std::shared_ptr<Segmentor> segmentor,
                       BuildSegmentor(experiment.model()));
  std::string weights;
  if (!checkpoint.empty()) {
    M2F_RETURN_IF_ERROR(LoadRunWeights(checkpoint, *segmentor));
    weights = absl::StrCat("going on from ", checkpoint);
  } else if (experiment.has_weights()) {
    LoadOptions load;
    load.allow_backbone_only = true;
    M2F_ASSIGN_OR_RETURN(
        const WeightsReport report,
        LoadWeights(ResolveUserPath(experiment.weights()), load, *segmentor));
    weights = absl::StrCat(experiment.weights(), ": ", report.ToString());
  }
  segmentor->to(device);
  M2F_ASSIGN_OR_RETURN(std::unique_ptr<Matcher> matcher,
                       BuildMatcher(experiment.matcher()));
  M2F_ASSIGN_OR_RETURN(SetCriterion criterion,
                       SetCriterion::Create(experiment.criterion()));
  M2F_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> optimizer,
                       BuildOptimizer(solver, *segmentor));
  M2F_RETURN_IF_ERROR(PrepareData(experiment, !checkpoint.empty()));
  M2F_ASSIGN_OR_RETURN(const std::shared_ptr<const Dataset> training,
                       BuildTrainDataset(experiment.data()));
  std::unique_ptr<CityscapesDataset> frames;
  std::unique_ptr<FolderDataset> pictures;
  if (experiment.data().has_folder()) {
    M2F_ASSIGN_OR_RETURN(pictures, BuildFolderValDataset(experiment.data()));
  } else {
    M2F_ASSIGN_OR_RETURN(frames, BuildValDataset(experiment.data()));
  }
  const Dataset& validation =
      pictures != nullptr ? static_cast<const Dataset&>(*pictures) : *frames;

  // Up to here a signal ends the program at once: there is nothing to save.
  const InterruptGuard interrupt;
  if (!options.dry_run) {
    M2F_RETURN_IF_ERROR(OpenRunDirectory(
        output_dir, options.resume      ? ExistingRun::kResume
                    : options.overwrite ? ExistingRun::kMoveAway
                                        : ExistingRun::kRefuse));
    M2F_RETURN_IF_ERROR(log.WriteTo(absl::StrCat(output_dir, "/log.txt")));
  }
  LOG(INFO) << Banner(
      Describe(experiment, device, precision, seed, *training, validation),
      *segmentor);
  LOG(INFO) << (weights.empty()
                    ? "all weights are drawn at random; the published models "
                      "start from an ImageNet backbone: --set weights=R-50.pkl"
                    : weights);
  M2F_ASSIGN_OR_RETURN(std::unique_ptr<DataLoader> loader,
                       BuildTrainLoader(experiment.data(), training,
                                        solver.global_batch_size()));
  auto step = std::make_unique<TrainStep>(
      segmentor, std::move(matcher), std::move(criterion), std::move(optimizer),
      solver.micro_batch_size(), precision);
  if (options.dry_run) {
    M2F_ASSIGN_OR_RETURN(const ImageBatch batch, loader->Next());
    GeneratorPointSource points(at::detail::createCPUGenerator(seed));
    M2F_ASSIGN_OR_RETURN(const StepReport report, step->Run(batch, points));
    LOG(INFO) << "dry run: one step, loss " << report.total
              << ", gradient norm " << report.gradient_norm
              << "; settings and data are fine";
    return absl::OkStatus();
  }

  TrainerOptions trainer_options;
  trainer_options.config = experiment.trainer();
  trainer_options.continues_run = options.resume;
  trainer_options.max_iter = solver.max_iter();
  trainer_options.seed = seed;
  trainer_options.output_dir = output_dir;
  trainer_options.config_text = PrintConfig(WithDefaults(experiment));
  M2F_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(output_dir, "/config.textproto"),
                          trainer_options.config_text));
  std::unique_ptr<Trainer::Validation> scores;
  if (pictures != nullptr) {
    scores = std::make_unique<FolderValidation>(
        experiment.data().input(), experiment.model().inference(), output_dir,
        *pictures, interrupt, *segmentor);
  } else {
    scores = std::make_unique<SplitValidation>(experiment, output_dir, *frames,
                                               interrupt, *segmentor);
  }
  Trainer trainer(trainer_options, std::move(step), std::move(loader), *scores,
                  interrupt);
  if (!checkpoint.empty()) M2F_RETURN_IF_ERROR(trainer.Restore(state));
  return trainer.Run();
}

}  // namespace mask2former
