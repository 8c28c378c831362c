#include "mask2former/train/trainer.h"

#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/data/semantic_mapper.h"
#include "mask2former/model/checkpoint.h"
#include "mask2former/model/segmentor.h"
#include "mask2former/train/interrupt.h"
#include "mask2former/train/testing/tiny_run.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Pictures with one rectangle each, whose place and class depend on the index.
class Rectangles final : public Dataset {
 public:
  int64_t size() const override { return 7; }
  int64_t num_classes() const override { return 19; }
  absl::StatusOr<Sample> Load(int64_t index) const override {
    if (index == fail_at) return absl::DataLossError("ulm.png is truncated");
    Sample sample;
    sample.name = std::string(1, static_cast<char>('a' + index));
    const int row = static_cast<int>(index);
    sample.image = cv::Mat(64, 64, CV_8UC3, cv::Scalar(30 * row, 100, 50));
    sample.label = cv::Mat(64, 64, CV_8UC1, cv::Scalar(255));
    for (int y = 5 * row; y < 5 * row + 20; ++y) {
      for (int x = 10; x < 50; ++x) {
        sample.label.at<uint8_t>(y, x) = static_cast<uint8_t>(index);
        sample.image.at<cv::Vec3b>(y, x) = cv::Vec3b(200, 40 * row, x);
      }
    }
    return sample;
  }

  int64_t fail_at = -1;
};

InputConfig TinyInput() {
  InputConfig input;
  input.add_min_size_train(64);
  input.add_min_size_train(80);
  input.set_crop_height(64);
  input.set_crop_width(64);
  return input;
}

struct Fixture final : public Trainer::Validation {
  explicit Fixture(const std::string& directory, int64_t max_iter = 40,
                   int64_t fail_at = -1, bool continues = false,
                   Precision precision = Precision::kFloat32) {
    auto dataset = std::make_shared<Rectangles>();
    dataset->fail_at = fail_at;
    DataLoaderOptions loader_options;
    loader_options.batch_size = 2;
    loader_options.seed = 5;
    auto mapper = SemanticMapper::Create(TinyInput(), 19);
    EXPECT_THAT(mapper, IsOk());
    auto loader =
        DataLoader::Create(dataset, *std::move(mapper), loader_options);
    EXPECT_THAT(loader, IsOk());
    TrainerOptions options;
    options.config.set_log_period(10);
    options.config.set_eval_at_start(true);
    options.config.set_eval_period(10);
    options.config.set_checkpoint_period(15);
    options.config.set_keep_checkpoints(2);
    options.continues_run = continues;
    options.max_iter = max_iter;
    options.seed = 11;
    options.output_dir = directory;
    TinyOptions tiny;
    tiny.max_iter = 40;
    tiny.precision = precision;
    auto step = std::make_unique<TrainStep>(TinyTrainStep(tiny));
    segmentor = &step->segmentor();
    loss_scale = step->loss_scale();
    EXPECT_THAT(CreateDirectories(directory), IsOk());
    trainer.emplace(options, std::move(step), *std::move(loader), *this,
                    interrupt);
  }

  absl::StatusOr<EvaluationRecord> Run(int64_t iteration) override {
    segmentor->eval();  // The trainer must switch back.
    evaluated.push_back(iteration);
    if (iteration == interrupt_at) {
      std::raise(SIGTERM);
      return absl::CancelledError("");
    }
    if (iteration == break_at) return absl::DataLossError("bonn.png is empty");
    if (iteration == throw_at) throw std::runtime_error("out of memory");
    EvaluationRecord record;
    record.metrics = {{"IoU", 0.5}};
    record.pictures.push_back(
        {"a", "", cv::Mat(4, 4, CV_8UC3, cv::Scalar(1, 2, 3))});
    return record;
  }

  absl::Status MarkDone(int64_t iteration) override {
    marked.push_back(iteration);
    return absl::OkStatus();
  }

  bool IsDone(int64_t iteration) const override {
    return iteration <= done_until;
  }
  const InterruptGuard interrupt;
  Segmentor* segmentor = nullptr;
  LossScale* loss_scale = nullptr;
  std::vector<int64_t> evaluated;
  int64_t done_until = -1;
  int64_t interrupt_at = -1;
  int64_t break_at = -1;
  int64_t throw_at = -1;
  std::vector<int64_t> marked;
  std::optional<Trainer> trainer;
};

std::string Fresh(const std::string& name) {
  return testing::TempDir() + "/trainer_test_" + name;
}

std::string Checkpoint(const std::string& directory, const char* iteration) {
  return directory + "/checkpoints/step_" + iteration;
}

TEST(TrainerTest, InterruptedAndResumedEqualsUninterruptedBitForBit) {
  const std::string whole = Fresh("whole"), parts = Fresh("parts");
  {
    Fixture uninterrupted(whole);
    ASSERT_THAT(uninterrupted.trainer->Run(), IsOk());
    EXPECT_THAT(uninterrupted.evaluated, ElementsAre(0, 10, 20, 30, 40));
  }
  {
    Fixture first(parts);
    first.interrupt_at = 20;
    ASSERT_THAT(first.trainer->Run(), IsOk());
    ASSERT_EQ(first.trainer->iteration(), 20);
  }
  const auto state = ReadTrainingState(Checkpoint(parts, "20"));
  ASSERT_THAT(state, IsOk());
  {
    Fixture second(parts, 40, /*fail_at=*/-1, /*continues=*/true);
    second.done_until = 10;
    ASSERT_THAT(LoadWeights(Checkpoint(parts, "20") + "/model.safetensors",
                            true, *second.segmentor),
                IsOk());
    at::randn({5});  // Whatever happened to the generators in between.
    ASSERT_THAT(second.trainer->Restore(*state), IsOk());
    ASSERT_THAT(second.trainer->Run(), IsOk());
    // The evaluation that was interrupted is made up for.
    EXPECT_THAT(second.evaluated, ElementsAre(20, 30, 40));
  }
  EXPECT_EQ(ReadFile(parts + "/model_final.safetensors").value(),
            ReadFile(whole + "/model_final.safetensors").value());
}

TEST(TrainerTest, KeepsTheNewestCheckpointsAndALinePerPeriod) {
  const std::string directory = Fresh("keep");
  Fixture fixture(directory);
  ASSERT_THAT(fixture.trainer->Run(), IsOk());
  EXPECT_THAT(
      *ListRunCheckpoints(directory),
      ElementsAre(Checkpoint(directory, "30"), Checkpoint(directory, "40")));
  std::ifstream lines(directory + "/metrics.jsonl");
  int training = 0, validation = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("val/IoU") != std::string::npos) {
      ++validation;
    } else {
      EXPECT_THAT(line, HasSubstr("loss"));
      ++training;
    }
  }
  EXPECT_EQ(training, 4);
  EXPECT_EQ(validation, 5);
}

TEST(TrainerTest, ASampleThatCannotBeReadIsNamedWithTheIteration) {
  const std::string directory = Fresh("sample");
  Fixture fixture(directory, 40, /*fail_at=*/3);
  const absl::Status status = fixture.trainer->Run();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("iteration "), HasSubstr("ulm.png")));
}

TEST(TrainerTest, GoesOnBitForBitAfterASampleThatCouldNotBeRead) {
  const std::string whole = Fresh("all_readable"), parts = Fresh("one_broken");
  ASSERT_THAT(Fixture(whole, 6).trainer->Run(), IsOk());
  {
    Fixture first(parts, 6, /*fail_at=*/3);
    ASSERT_FALSE(first.trainer->Run().ok());
    ASSERT_GT(first.trainer->iteration(), 0);
    ASSERT_LT(first.trainer->iteration(), 6);
  }
  const std::string checkpoint = ListRunCheckpoints(parts)->back();
  const auto state = ReadTrainingState(checkpoint);
  ASSERT_THAT(state, IsOk());
  Fixture second(parts, 6, /*fail_at=*/-1, /*continues=*/true);
  ASSERT_THAT(LoadRunWeights(checkpoint, *second.segmentor), IsOk());
  ASSERT_THAT(second.trainer->Restore(*state), IsOk());
  ASSERT_THAT(second.trainer->Run(), IsOk());
  EXPECT_EQ(ReadFile(parts + "/model_final.safetensors").value(),
            ReadFile(whole + "/model_final.safetensors").value());
}

TEST(TrainerTest, AnExceptionInAnEvaluationLosesNothing) {
  const std::string directory = Fresh("exception");
  Fixture fixture(directory);
  fixture.throw_at = 10;
  EXPECT_THAT(fixture.trainer->Run(),
              StatusIs(absl::StatusCode::kInternal,
                       AllOf(HasSubstr("iteration 10: out of memory"),
                             HasSubstr("--resume goes on"))));
  EXPECT_THAT(*ListRunCheckpoints(directory),
              ElementsAre(Checkpoint(directory, "10")));
  EXPECT_THAT(fixture.marked, ElementsAre(0));
}

TEST(TrainerTest, RefusesACheckpointBeyondTheEnd) {
  const std::string directory = Fresh("beyond");
  ASSERT_THAT(Fixture(directory, 4).trainer->Run(), IsOk());
  const auto state = ReadTrainingState(Checkpoint(directory, "4"));
  ASSERT_THAT(state, IsOk());
  Fixture shorter(directory, 3, /*fail_at=*/-1, /*continues=*/true);
  EXPECT_THAT(shorter.trainer->Restore(*state),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("iteration 4"),
                             HasSubstr("solver.max_iter is 3"))));
}

TEST(TrainerTest, AnEvaluationThatFailsLosesNothing) {
  const std::string directory = Fresh("validation");
  Fixture fixture(directory);
  fixture.break_at = 10;
  EXPECT_THAT(fixture.trainer->Run(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("iteration 10: bonn.png is empty"),
                             HasSubstr("--resume goes on"))));
  EXPECT_THAT(*ListRunCheckpoints(directory),
              ElementsAre(Checkpoint(directory, "10")));
}

TEST(TrainerTest, ContinuesARunThatHadSavedNothing) {
  const std::string directory = Fresh("nothing_saved");
  {
    Fixture killed(directory);
    killed.interrupt_at = 0;
    ASSERT_THAT(killed.trainer->Run(), IsOk());
  }
  ASSERT_THAT(WriteFileAtomically(directory + "/metrics.jsonl",
                                  "{\"iteration\":0,\"val/IoU\":0.5}\n"),
              IsOk());
  Fixture again(directory, 2, /*fail_at=*/-1, /*continues=*/true);
  again.done_until = 0;  // Of another model.
  ASSERT_THAT(again.trainer->Run(), IsOk());
  EXPECT_THAT(again.evaluated, ElementsAre(0, 2));
  std::ifstream lines(directory + "/metrics.jsonl");
  std::string first, second;
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_THAT(first, HasSubstr("val/IoU"));
  EXPECT_THAT(second, HasSubstr("loss"));
}

TEST(TrainerTest, TheLossScaleSurvivesAResume) {
  const std::string directory = Fresh("loss_scale");
  double value = 0;
  {
    Fixture first(directory, 2, -1, false, Precision::kFloat16);
    first.loss_scale->Update(false);
    ASSERT_THAT(first.trainer->Run(), IsOk());
    value = first.loss_scale->value();
    EXPECT_LE(value, 32768);
  }
  const auto state = ReadTrainingState(Checkpoint(directory, "2"));
  ASSERT_THAT(state, IsOk());
  {
    Fixture second(directory, 4, -1, true, Precision::kFloat16);
    ASSERT_THAT(second.trainer->Restore(*state), IsOk());
    EXPECT_EQ(second.loss_scale->value(), value);
  }
  // Without one, because the run was in float32 before, it starts anew.
  TrainingState without = *state;
  without.tensors.erase("loss_scale.value");
  without.tensors.erase("loss_scale.good_steps");
  Fixture third(directory, 4, -1, true, Precision::kFloat16);
  ASSERT_THAT(third.trainer->Restore(without), IsOk());
  EXPECT_EQ(third.loss_scale->value(), 65536);
}

TEST(TrainerTest, RefusesAStateOfAnotherModel) {
  Fixture fixture(Fresh("other"));
  TrainingState state;
  EXPECT_FALSE(fixture.trainer->Restore(state).ok());
}

}  // namespace
}  // namespace mask2former
