#include "mask2former/configs/load_segmentor.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/checkpoint.h"
#include "mask2former/model/testing/tiny_model_config.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class LoadSegmentorTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    *experiment_.mutable_model() = TinyModelConfig();
    experiment_.mutable_trainer()->set_device(TrainerConfig::CPU);
    experiment_.set_output_dir(root_ + "/run");
  }

  // An empty file.
  std::string Touch(const std::string& name) {
    const std::string path = absl::StrCat(root_, "/", name);
    EXPECT_THAT(
        CreateDirectories(std::filesystem::path(path).parent_path().string()),
        IsOk());
    EXPECT_THAT(WriteFileAtomically(path, ""), IsOk());
    return path;
  }

  // A checkpoint of a run as far as its files' names go.
  std::string TouchCheckpoint(const std::string& folder) {
    Touch(folder + "/training.safetensors");
    Touch(folder + "/config.textproto");
    return Touch(folder + "/model.safetensors");
  }

  std::string root_;
  Experiment experiment_;
};

TEST_F(LoadSegmentorTest, FindsWeightsInAFile) {
  const std::string path = Touch("any.name");
  const auto found = FindWeights(path);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(*found, path);
}

TEST_F(LoadSegmentorTest, FindsWeightsInACheckpoint) {
  const std::string path = TouchCheckpoint("run/checkpoints/step_20");
  const auto found = FindWeights(root_ + "/run/checkpoints/step_20");
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(*found, path);
}

TEST_F(LoadSegmentorTest, FindsTheNewestWeightsOfARun) {
  TouchCheckpoint("run/checkpoints/step_20");
  const std::string newest = TouchCheckpoint("run/checkpoints/step_100");
  TouchCheckpoint("run/checkpoints/step_3");
  TouchCheckpoint("run/checkpoints/writing_200");  // Not complete.
  const auto found = FindWeights(root_ + "/run");
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(*found, newest);
}

TEST_F(LoadSegmentorTest, SaysWhatItLookedForInVain) {
  EXPECT_THAT(FindWeights(root_ + "/nowhere"),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("/nowhere"),
                             HasSubstr("neither a file nor a checkpoint"))));
  ASSERT_THAT(CreateDirectories(root_ + "/run"), IsOk());
  EXPECT_THAT(FindWeights(root_ + "/run"),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("/run"),
                             HasSubstr("neither model.safetensors nor"))));
}

TEST_F(LoadSegmentorTest, LoadsWeightsForEvaluation) {
  const auto model = BuildSegmentor(experiment_.model());
  ASSERT_THAT(model, IsOk());
  ASSERT_THAT(CreateDirectories(root_ + "/run/checkpoints/step_1"), IsOk());
  TouchCheckpoint("run/checkpoints/step_1");
  ASSERT_THAT(SaveWeights(root_ + "/run/checkpoints/step_1/model.safetensors",
                          **model, {}),
              IsOk());
  const auto loaded = LoadSegmentor(experiment_, "");
  ASSERT_THAT(loaded, IsOk());
  EXPECT_FALSE((*loaded)->is_training());
  const auto want = (*model)->named_parameters();
  const auto got = (*loaded)->named_parameters();
  ASSERT_EQ(got.size(), want.size());
  for (const auto& parameter : want) {
    EXPECT_TRUE(at::equal(got[parameter.key()], parameter.value()))
        << parameter.key();
  }
}

TEST_F(LoadSegmentorTest, RefusesWeightsOfAnotherModel) {
  const auto model = BuildSegmentor(experiment_.model());
  ASSERT_THAT(model, IsOk());
  const std::string path = root_ + "/other.safetensors";
  ASSERT_THAT(SaveWeights(path, **model, {}), IsOk());
  experiment_.mutable_model()->set_num_classes(8);
  EXPECT_THAT(
      LoadSegmentor(experiment_, path),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("class_embed")));
}

}  // namespace
}  // namespace mask2former
