#include "mask2former/train/main_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/scene/generated_data.h"
#include "mask2former/model/testing/tiny_model_config.h"
#include "mask2former/train/logging/log_file.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// As //train:main does it.
absl::Status RunTraining(const Experiment& experiment,
                         const RunOptions& options) {
  const std::unique_ptr<LogFile> log = LogFile::Create();
  const absl::Status status =
      mask2former::RunTraining(experiment, options, *log);
  if (!status.ok()) LOG(ERROR) << status.message();
  return status;
}

class RunTrainingTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string root = FreshTestFolder();
    experiment_ = ParseTextProtoOrDie<Experiment>(R"pb(
      data {
        generated { train_images: 4 val_images: 2 height: 64 width: 128 }
        input {
          min_size_train: 64
          crop_height: 64
          crop_width: 64
          min_size_test: 64
          max_size_test: 128
        }
        loader { num_workers: 1 }
      }
      matcher { hungarian { num_points: 64 } }
      criterion { num_points: 64 }
      solver { max_iter: 2 global_batch_size: 2 }
      trainer { log_period: 1 eval_period: 0 checkpoint_period: 0 seed: 3 }
      eval { num_pictures: 1 }
    )pb");
    *experiment_.mutable_model() = TinyModelConfig();
    experiment_.mutable_data()->set_root(root + "/data");
    output_ = root + "/output";
    experiment_.set_output_dir(output_);
  }

  std::string Content(const std::string& name) {
    const auto content = ReadFile(absl::StrCat(output_, "/", name));
    EXPECT_THAT(content, IsOk());
    return content.ok() ? *content : "";
  }

  // Draws the data set, removes one file of the val split for good and returns
  // its path.
  std::string MakeDataWithout(const std::string& suffix) {
    EXPECT_THAT(EnsureGeneratedData(experiment_.data()), IsOk());
    experiment_.mutable_data()->clear_generated();
    std::string path =
        absl::StrCat(experiment_.data().root(),
                     "/gtFine/val/ditherton/ditherton_000000_000019_", suffix);
    EXPECT_TRUE(std::filesystem::remove(path)) << path;
    return path;
  }

  bool Exists(const std::string& name) {
    return FileExists(absl::StrCat(output_, "/", name));
  }

  Experiment experiment_;
  std::string output_;
};

// Sends a signal as soon as a line of the log contains a text.
class SignalAt final : public google::LogSink {
 public:
  explicit SignalAt(const char* text) : text_(text) {
    google::AddLogSink(this);
  }
  ~SignalAt() override { google::RemoveLogSink(this); }

  void send(google::LogSeverity, const char*, const char*, int,
            const google::LogMessageTime&, const char* message,
            size_t length) override {
    if (absl::StrContains(absl::string_view(message, length), text_)) {
      std::raise(SIGTERM);
    }
  }

 private:
  const char* const text_;
};

TEST_F(RunTrainingTest, TrainsOnPicturesInFolders) {
  const std::string root = experiment_.data().root();
  for (const char* folder : {"/images", "/masks"}) {
    ASSERT_THAT(CreateDirectories(root + folder), IsOk());
  }
  for (const char* name : {"/a.png", "/b.png"}) {
    ASSERT_THAT(WritePngAtomically(root + "/images" + name,
                                   cv::Mat(64, 128, CV_8UC3, cv::Scalar(90))),
                IsOk());
    cv::Mat mask = cv::Mat::zeros(64, 128, CV_8UC1);
    mask.colRange(0, 64).setTo(255);
    ASSERT_THAT(WritePngAtomically(root + "/masks" + name, mask), IsOk());
  }
  experiment_.mutable_data()->clear_generated();
  *experiment_.mutable_data()->mutable_folder() =
      ParseTextProtoOrDie<FolderData>(R"pb(
        train_images: "images/*.png"
        train_labels: "masks/*.png"
        val_images: "images/*.png"
        val_labels: "masks/*.png"
        classes { name: "sound" values: 0 }
        classes { name: "crack" values: 255 }
      )pb");
  experiment_.mutable_model()->set_num_classes(2);
  ASSERT_THAT(RunTraining(experiment_, {}), IsOk());
  EXPECT_THAT(Content("log.txt"),
              AllOf(HasSubstr("iter 2/2"), HasSubstr("crack")));
  EXPECT_THAT(Content("metrics.jsonl"), HasSubstr("val/IoU"));
  EXPECT_THAT(Content("eval/step_2/metrics.json"),
              AllOf(HasSubstr("\"mIoU\""), HasSubstr("\"crack\"")));
}

TEST_F(RunTrainingTest, LeavesWhatIsDocumented) {
  ASSERT_THAT(RunTraining(experiment_, {}), IsOk());
  EXPECT_THAT(Content("log.txt"),
              AllOf(HasSubstr("Mask2Former"), HasSubstr("iter 2/2"),
                    HasSubstr("Score Average")));
  EXPECT_THAT(Content("metrics.jsonl"),
              AllOf(HasSubstr("\"iteration\":1,"), HasSubstr("val/IoU")));
  EXPECT_THAT(Content("eval/step_2/metrics.json"),
              HasSubstr("averageScoreClasses"));
  EXPECT_TRUE(Exists("eval/step_2/ditherton_000000_000019.png"));
  EXPECT_TRUE(Exists("checkpoints/step_2/model.safetensors"));
  EXPECT_TRUE(Exists("checkpoints/step_2/training.safetensors"));
  EXPECT_TRUE(Exists("model_final.safetensors"));
  // The settings in effect, also those that nobody set.
  EXPECT_THAT(Content("config.textproto"),
              AllOf(HasSubstr("beta2: 0.999"), HasSubstr("seed: 3")));
}

// Which would leave out the panoptic task.
TEST_F(RunTrainingTest, NeverAveragesOverSizesWhileItTrains) {
  experiment_.mutable_eval()->mutable_tta()->set_enabled(true);
  experiment_.mutable_model()->mutable_inference()->set_panoptic_on(true);
  ASSERT_THAT(RunTraining(experiment_, {}), IsOk());
  EXPECT_THAT(Content("eval/step_2/metrics.json"),
              AllOf(HasSubstr("panoptic_seg"), HasSubstr("\"sem_seg\"")));
}

TEST_F(RunTrainingTest, AnOldRunIsNeverInTheWayUnasked) {
  ASSERT_THAT(RunTraining(experiment_, {}), IsOk());
  EXPECT_THAT(RunTraining(experiment_, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("holds a run already")));
  RunOptions options;
  options.overwrite = true;
  Experiment broken = experiment_;
  broken.mutable_model()->mutable_backbone()->mutable_resnet()->set_depth(51);
  EXPECT_FALSE(RunTraining(broken, options).ok());
  EXPECT_TRUE(Exists("model_final.safetensors"));
  EXPECT_FALSE(DirectoryExists(output_ + ".1"));
  ASSERT_THAT(RunTraining(experiment_, options), IsOk());
  EXPECT_TRUE(FileExists(output_ + ".1/model_final.safetensors"));
  options.resume = true;
  EXPECT_THAT(RunTraining(experiment_, options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("exclude each other")));
}

TEST_F(RunTrainingTest, ASignalSavesAndResumeGoesOn) {
  experiment_.mutable_solver()->set_max_iter(4);
  {
    const SignalAt signal("iter 2/4");
    ASSERT_THAT(RunTraining(experiment_, {}), IsOk());
  }
  EXPECT_TRUE(Exists("checkpoints/step_2/training.safetensors"));
  EXPECT_FALSE(Exists("model_final.safetensors"));
  EXPECT_THAT(Content("log.txt"), HasSubstr("--resume"));

  RunOptions resume;
  resume.resume = true;
  Experiment changed = experiment_;
  changed.mutable_solver()->set_base_lr(7e-4);
  EXPECT_THAT(RunTraining(changed, resume),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("base_lr"), HasSubstr("0.0007"),
                             Not(HasSubstr("trainer")))));
  ASSERT_THAT(RunTraining(experiment_, resume), IsOk());
  EXPECT_TRUE(Exists("model_final.safetensors"));
  EXPECT_THAT(Content("log.txt"),
              AllOf(HasSubstr("going on from"), HasSubstr("iter 4/4")));
}

TEST_F(RunTrainingTest, ASignalDuringTheEvaluationLeavesNoHole) {
  {
    const SignalAt signal("saved ");  // The evaluation comes next.
    ASSERT_THAT(RunTraining(experiment_, {}), IsOk());
  }
  EXPECT_FALSE(Exists("eval/step_2/metrics.json"));
  RunOptions resume;
  resume.resume = true;
  ASSERT_THAT(RunTraining(experiment_, resume), IsOk());
  EXPECT_TRUE(Exists("eval/step_2/metrics.json"));
  EXPECT_TRUE(Exists("model_final.safetensors"));
}

TEST_F(RunTrainingTest, ResumeOfARunThatWasKilledBeforeItSaved) {
  ASSERT_THAT(CreateDirectories(output_), IsOk());
  ASSERT_THAT(
      WriteFileAtomically(output_ + "/metrics.jsonl", "{\"iteration\":1}\n"),
      IsOk());
  RunOptions resume;
  resume.resume = true;
  EXPECT_THAT(RunTraining(experiment_, resume), IsOk());
  EXPECT_TRUE(Exists("model_final.safetensors"));
}

TEST_F(RunTrainingTest, TheLogHoldsEverythingThatWasSaid) {
  RunOptions dry;
  dry.dry_run = true;
  ASSERT_THAT(RunTraining(experiment_, dry), IsOk());
  const std::string label =
      experiment_.data().root() +
      "/gtFine/val/ditherton/ditherton_000000_000019_gtFine_labelIds.png";
  experiment_.mutable_trainer()->set_eval_at_start(true);
  class RemoveLabel final : public google::LogSink {
   public:
    explicit RemoveLabel(const std::string& path) : path_(path) {
      google::AddLogSink(this);
    }
    ~RemoveLabel() override { google::RemoveLogSink(this); }
    void send(google::LogSeverity, const char*, const char*, int,
              const google::LogMessageTime&, const char* message,
              size_t length) override {
      if (absl::StrContains(absl::string_view(message, length), "iter 2/2")) {
        std::filesystem::remove(path_);
      }
    }

   private:
    const std::string path_;
  };
  absl::Status status;
  {
    const RemoveLabel sink(label);
    status = RunTraining(experiment_, {});
  }
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(Content("log.txt"),
              AllOf(HasSubstr("Mask2Former"), HasSubstr(label),
                    HasSubstr("--resume goes on from there")));
  // What was scored before counts, what was not is made up for.
  EXPECT_TRUE(Exists("eval/step_0/metrics.json"));
  EXPECT_FALSE(Exists("eval/step_2/metrics.json"));
}

TEST_F(RunTrainingTest, AMarkOfARunThatSavedNothingDoesNotCount) {
  experiment_.mutable_trainer()->set_eval_at_start(true);
  ASSERT_THAT(CreateDirectories(output_ + "/eval/step_0"), IsOk());
  ASSERT_THAT(WriteFileAtomically(output_ + "/eval/step_0/metrics.json", "{}"),
              IsOk());
  RunOptions resume;
  resume.resume = true;
  ASSERT_THAT(RunTraining(experiment_, resume), IsOk());
  EXPECT_THAT(Content("eval/step_0/metrics.json"),
              HasSubstr("averageScoreClasses"));
}

TEST_F(RunTrainingTest, Float16IsRefusedOnACpu) {
  experiment_.mutable_solver()->set_precision(SolverConfig::FLOAT16);
  EXPECT_THAT(RunTraining(experiment_, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("solver.precision")));
  EXPECT_FALSE(DirectoryExists(output_));
}

TEST_F(RunTrainingTest, DryRunWritesNoOutput) {
  RunOptions options;
  options.dry_run = true;
  EXPECT_THAT(RunTraining(experiment_, options), IsOk());
  EXPECT_FALSE(DirectoryExists(output_));
}

TEST_F(RunTrainingTest, DataAreCheckedBeforeTheFirstIteration) {
  RunOptions options;
  options.dry_run = true;
  ASSERT_THAT(RunTraining(experiment_, options), IsOk());
  const std::string label =
      experiment_.data().root() +
      "/gtFine/train/meshstadt/meshstadt_000000_000019_gtFine_labelIds.png";
  const auto png = ReadFile(label);
  ASSERT_THAT(png, IsOk());
  ASSERT_THAT(WriteFileAtomically(label, png->substr(0, png->size() / 2)),
              IsOk());
  const absl::Status status = RunTraining(experiment_, {});
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(label), HasSubstr("cut")));
  EXPECT_FALSE(DirectoryExists(output_));
}

TEST_F(RunTrainingTest, WhatPanopticEvaluationReadsIsCheckedToo) {
  const std::string label = MakeDataWithout("gtFine_labelIds.png");
  experiment_.mutable_data()->set_task(DataConfig::PANOPTIC);
  InferenceConfig& inference =
      *experiment_.mutable_model()->mutable_inference();
  inference.set_instance_on(true);
  inference.set_panoptic_on(true);
  EXPECT_THAT(RunTraining(experiment_, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("has 1 problem:"),
                             HasSubstr(label + " is missing"))));
  EXPECT_FALSE(DirectoryExists(output_));
}

TEST_F(RunTrainingTest, WhatInstanceEvaluationReadsIsCheckedToo) {
  const std::string ids = MakeDataWithout("gtFine_instanceIds.png");
  DataConfig& data = *experiment_.mutable_data();
  data.set_task(DataConfig::INSTANCE);
  data.set_class_set(DataConfig::CITYSCAPES_THINGS_8);
  ModelConfig& model = *experiment_.mutable_model();
  model.set_num_classes(8);
  model.mutable_inference()->set_semantic_on(false);
  model.mutable_inference()->set_instance_on(true);
  EXPECT_THAT(RunTraining(experiment_, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("has 1 problem:"),
                             HasSubstr(ids + " is missing"))));
  EXPECT_FALSE(DirectoryExists(output_));
}

// Which evaluations during training do not use.
TEST_F(RunTrainingTest, TestTimeAugmentationChangesNothingOfTheCheck) {
  const std::string ids = MakeDataWithout("gtFine_instanceIds.png");
  experiment_.mutable_model()->mutable_inference()->set_panoptic_on(true);
  experiment_.mutable_eval()->mutable_tta()->set_enabled(true);
  EXPECT_THAT(RunTraining(experiment_, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(ids + " is missing")));
  EXPECT_FALSE(DirectoryExists(output_));
}

}  // namespace
}  // namespace mask2former
