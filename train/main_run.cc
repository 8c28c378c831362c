#include "mask2former/train/main_run.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <google/protobuf/util/message_differencer.h>

#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/random_points.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/text_proto.h"
#include "mask2former/data/build_data_loader.h"
#include "mask2former/data/check_cityscapes.h"
#include "mask2former/data/scene/generated_data.h"
#include "mask2former/eval/evaluator.h"
#include "mask2former/eval/report.h"
#include "mask2former/eval/scores_json.h"
#include "mask2former/matcher/build_matcher.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/checkpoint.h"
#include "mask2former/train/banner.h"
#include "mask2former/train/choose_device.h"
#include "mask2former/train/logging/log_file.h"
#include "mask2former/train/optimizer/build_optimizer.h"
#include "mask2former/train/run_directory.h"
#include "mask2former/train/trainer.h"

namespace mask2former {
namespace {

// What must not change when a run goes on: everything but where and how often
// it writes, and how it is fed.
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

// Draws the data set if the experiment says so and it is not there yet.
absl::Status PrepareData(const Experiment& experiment) {
  M2F_RETURN_IF_ERROR(ValidateDataConfig(experiment.data()));
  if (experiment.data().has_generated()) {
    M2F_RETURN_IF_ERROR(EnsureGeneratedData(experiment.data()));
  }
  CityscapesCheckOptions options;
  options.needs_instance_ids = true;
  return CheckCityscapes(experiment.data(), options);
}

absl::StatusOr<EvaluationRecord> EvaluateNow(const Experiment& experiment,
                                             const CityscapesDataset& frames,
                                             const std::string& output_dir,
                                             int64_t iteration,
                                             Segmentor& segmentor) {
  EvaluatorOptions options;
  options.eval = experiment.eval();
  options.input = experiment.data().input();
  options.inference = experiment.model().inference();
  options.pictures_dir = absl::StrCat(output_dir, "/eval/step_", iteration);
  M2F_ASSIGN_OR_RETURN(const Evaluation evaluation,
                       Evaluate(frames.frames(), options, segmentor));
  M2F_RETURN_IF_ERROR(CreateDirectories(options.pictures_dir));
  M2F_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(options.pictures_dir, "/metrics.json"),
                          OfficialJson(evaluation.metrics)));
  EvaluationRecord record;
  const CityscapesScores& scores = evaluation.scores;
  record.table = ClassTable(scores);
  record.metrics = {
      {"IoU", scores.mean_class_iou},
      {"nIoU", scores.mean_class_instance_iou},
      {"IoU_category", scores.mean_category_iou},
      {"nIoU_category", scores.mean_category_instance_iou},
      {"pixel_accuracy", scores.pixel_accuracy},
  };
  record.seconds_per_image = evaluation.speed.total_seconds;
  for (const EvaluationPicture& picture : evaluation.pictures) {
    record.pictures.push_back({picture.name, picture.path, picture.strip});
  }
  return record;
}

BannerInfo Describe(const Experiment& experiment, const torch::Device& device,
                    int64_t seed, const Dataset& training,
                    const Dataset& validation) {
  const ResNetConfig& resnet = experiment.model().backbone().resnet();
  BannerInfo info;
  info.backbone = absl::StrCat("resnet ", resnet.depth());
  info.device = device.str();
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

}  // namespace

absl::Status RunTraining(const Experiment& given, const RunOptions& options) {
  Experiment experiment = given;
  experiment.mutable_data()->set_root(
      ResolveUserPath(experiment.data().root()));
  experiment.set_output_dir(ResolveUserPath(experiment.output_dir()));
  const TrainerConfig& trainer_config = experiment.trainer();
  const SolverConfig& solver = experiment.solver();

  if (trainer_config.num_threads() > 0) {
    at::set_num_threads(trainer_config.num_threads());
  }
  M2F_ASSIGN_OR_RETURN(const torch::Device device,
                       ChooseDevice(trainer_config.device()));
  M2F_RETURN_IF_ERROR(PrepareData(experiment));

  RunDirectory directory{experiment.output_dir(), ""};
  TrainingState state;
  if (!options.dry_run) {
    M2F_ASSIGN_OR_RETURN(
        directory,
        OpenRunDirectory(experiment.output_dir(),
                         options.resume      ? ExistingRun::kResume
                         : options.overwrite ? ExistingRun::kMoveAway
                                             : ExistingRun::kRefuse));
  }
  std::unique_ptr<LogFile> log_file;
  if (!options.dry_run) {
    M2F_ASSIGN_OR_RETURN(
        log_file, LogFile::Open(absl::StrCat(directory.path, "/log.txt")));
  }
  if (!directory.checkpoint.empty()) {
    M2F_ASSIGN_OR_RETURN(state, ReadTrainingState(directory.checkpoint));
    if (!options.allow_config_change) {
      M2F_RETURN_IF_ERROR(
          CheckSameConfig(experiment, state.config, directory.checkpoint));
    }
  }
  // A run that goes on keeps its seed, also one that was drawn.
  const int64_t seed = !directory.checkpoint.empty() ? state.seed
                       : trainer_config.seed() >= 0  ? trainer_config.seed()
                                                     : std::random_device()();
  at::manual_seed(static_cast<uint64_t>(seed));

  M2F_ASSIGN_OR_RETURN(const std::shared_ptr<Segmentor> segmentor,
                       BuildSegmentor(experiment.model()));
  if (!directory.checkpoint.empty()) {
    M2F_RETURN_IF_ERROR(
        LoadWeights(absl::StrCat(directory.checkpoint, "/model.safetensors"),
                    /*strict=*/true, *segmentor)
            .status());
  } else if (experiment.has_weights()) {
    M2F_ASSIGN_OR_RETURN(const WeightsReport report,
                         LoadWeights(ResolveUserPath(experiment.weights()),
                                     /*strict=*/true, *segmentor));
    LOG(INFO) << experiment.weights() << ": " << report.ToString();
  }
  segmentor->to(device);

  M2F_ASSIGN_OR_RETURN(std::unique_ptr<Matcher> matcher,
                       BuildMatcher(experiment.matcher()));
  M2F_ASSIGN_OR_RETURN(SetCriterion criterion,
                       SetCriterion::Create(experiment.criterion()));
  M2F_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> optimizer,
                       BuildOptimizer(solver, *segmentor));
  M2F_ASSIGN_OR_RETURN(const std::shared_ptr<const CityscapesDataset> training,
                       BuildTrainDataset(experiment.data()));
  M2F_ASSIGN_OR_RETURN(std::unique_ptr<DataLoader> loader,
                       BuildTrainLoader(experiment.data(), training,
                                        solver.global_batch_size()));
  M2F_ASSIGN_OR_RETURN(const std::unique_ptr<CityscapesDataset> validation,
                       BuildValDataset(experiment.data()));
  LOG(INFO) << Banner(
      Describe(experiment, device, seed, *training, *validation), *segmentor);

  auto step = std::make_unique<TrainStep>(
      segmentor, std::move(matcher), std::move(criterion), std::move(optimizer),
      solver.micro_batch_size());
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
  trainer_options.config = trainer_config;
  trainer_options.max_iter = solver.max_iter();
  trainer_options.seed = seed;
  trainer_options.output_dir = directory.path;
  trainer_options.config_text = PrintConfig(experiment);
  M2F_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(directory.path, "/config.textproto"),
                          trainer_options.config_text));
  Trainer trainer(trainer_options, std::move(step), std::move(loader),
                  [&](int64_t iteration) {
                    return EvaluateNow(experiment, *validation, directory.path,
                                       iteration, *segmentor);
                  });
  if (!directory.checkpoint.empty()) {
    M2F_RETURN_IF_ERROR(trainer.Restore(state));
    LOG(INFO) << "going on from " << directory.checkpoint;
  }
  return trainer.Run();
}

}  // namespace mask2former
