#include "mask2former/train/run_checkpoint.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <torch/nn/modules/linear.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/model/checkpoint.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string Fresh(const std::string& name) {
  return testing::TempDir() + "/run_checkpoint_test_" + name;
}

TrainingState State(int64_t iteration) {
  TrainingState state;
  state.iteration = iteration;
  state.seed = 3;
  state.sampler = {7, 100, 8 * iteration};
  state.tensors["optimizer.exp_avg.weight"] = at::full({2, 3}, .25);
  state.config = "output_dir: \"x\"\n";
  return state;
}

TEST(RunCheckpointTest, ReadsWhatItSaved) {
  const torch::nn::LinearImpl model(3, 2);
  const auto path = SaveRunCheckpoint(Fresh("round"), model, State(20), 3);
  ASSERT_THAT(path, IsOk());
  EXPECT_THAT(*path, EndsWith("/checkpoints/step_20"));
  const auto state = ReadTrainingState(*path);
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(state->iteration, 20);
  EXPECT_EQ(state->seed, 3);
  EXPECT_EQ(state->sampler.seed, 7);
  EXPECT_EQ(state->sampler.dataset_size, 100);
  EXPECT_EQ(state->sampler.position, 160);
  EXPECT_EQ(state->config, "output_dir: \"x\"\n");
  EXPECT_THAT(state->tensors.at("optimizer.exp_avg.weight"),
              TensorNear(at::full({2, 3}, .25), 0., 0.));
  torch::nn::LinearImpl loaded(3, 2);
  ASSERT_THAT(LoadWeights(*path + "/model.safetensors", true, loaded), IsOk());
  EXPECT_THAT(loaded.weight, TensorNear(model.weight, 0., 0.));
}

TEST(RunCheckpointTest, KeepsTheNewest) {
  const torch::nn::LinearImpl model(3, 2);
  const std::string directory = Fresh("keep");
  for (const int64_t iteration : {5, 100, 20, 1000000}) {
    ASSERT_THAT(SaveRunCheckpoint(directory, model, State(iteration), 2),
                IsOk());
  }
  EXPECT_THAT(*ListRunCheckpoints(directory),
              ElementsAre(EndsWith("step_100"), EndsWith("step_1000000")));
}

TEST(RunCheckpointTest, AFullDiskLeavesTheFormerCheckpointAlone) {
  const torch::nn::LinearImpl model(300, 200);
  const std::string directory = Fresh("full");
  ASSERT_THAT(SaveRunCheckpoint(directory, model, State(1), 1), IsOk());

  // A limit on file sizes fails like a full disk, in the middle of a write.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before, limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  limit = before;
  limit.rlim_cur = 10000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const auto failed = SaveRunCheckpoint(directory, model, State(2), 1);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);

  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr(directory));
  EXPECT_THAT(*ListRunCheckpoints(directory), ElementsAre(EndsWith("step_1")));
  EXPECT_THAT(ReadTrainingState(ListRunCheckpoints(directory)->at(0)), IsOk());
  EXPECT_THAT(ListDirectory(directory + "/checkpoints").value(),
              ElementsAre("step_1"));
}

TEST(RunCheckpointTest, ACheckpointCutInHalfIsAnErrorThatNamesTheFile) {
  for (const char* name :
       {"model.safetensors", "training.safetensors", "config.textproto"}) {
    torch::nn::LinearImpl model(3, 2);
    const auto path = SaveRunCheckpoint(Fresh("cut"), model, State(1), 1);
    ASSERT_THAT(path, IsOk());
    EXPECT_THAT(ReadTrainingState(*path), IsOk());
    EXPECT_THAT(LoadRunWeights(*path, model), IsOk());
    const std::string file = absl::StrCat(*path, "/", name);
    const std::string bytes = ReadFile(file).value();
    std::filesystem::remove(file);
    if (name != std::string("config.textproto")) {
      ASSERT_THAT(WriteFileAtomically(file, bytes.substr(0, bytes.size() / 2)),
                  IsOk());
    }
    absl::Status status = ReadTrainingState(*path).status();
    status.Update(LoadRunWeights(*path, model));
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(file), HasSubstr("move "),
                      HasSubstr("the checkpoint before it")));
  }
}

TEST(RunCheckpointTest, RemovesWhatAKilledProgramHasLeft) {
  const torch::nn::LinearImpl model(3, 2);
  const std::string directory = Fresh("unfinished");
  ASSERT_THAT(CreateDirectories(directory + "/checkpoints/writing_17"), IsOk());
  ASSERT_THAT(SaveRunCheckpoint(directory, model, State(20), 1), IsOk());
  EXPECT_THAT(ListDirectory(directory + "/checkpoints").value(),
              ElementsAre("step_20"));
}
TEST(RunCheckpointTest, ADirectoryThatCannotBeWrittenIsNamed) {
  const torch::nn::LinearImpl model(3, 2);
  const std::string file = Fresh("file");
  ASSERT_THAT(WriteFileAtomically(file, ""), IsOk());
  const auto path = SaveRunCheckpoint(file, model, State(1), 1);
  ASSERT_FALSE(path.ok());
  EXPECT_THAT(std::string(path.status().message()), HasSubstr(file));
}

}  // namespace
}  // namespace mask2former
