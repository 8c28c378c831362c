#include "mask2former/common/check_mask_targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

MaskTarget Target(std::vector<int64_t> labels, at::IntArrayRef mask_sizes) {
  return {torch::tensor(labels, torch::kLong),
          torch::zeros(mask_sizes, torch::kBool)};
}

// Of 2 images, with 3 queries and 4 classes.
MaskPrediction Prediction() {
  return {torch::zeros({2, 3, 5}), torch::zeros({2, 3, 8, 16})};
}

TEST(CheckMaskTargetsTest, AcceptsAnyNumberOfTargets) {
  CheckMaskTargets(Prediction(),
                   {Target({0, 3, 3, 1}, {4, 32, 64}), Target({}, {0, 7, 7})});
}

TEST(CheckMaskTargetsTest, RefusesWhatDoesNotFit) {
  const auto refuses = [](const std::vector<MaskTarget>& targets,
                          const std::string& message) {
    EXPECT_THAT([&] { CheckMaskTargets(Prediction(), targets); },
                ThrowsMessage<c10::Error>(HasSubstr(message)));
  };
  const MaskTarget good = Target({1}, {1, 32, 64});
  refuses({good}, "class_logits must have shape");
  refuses({good, Target({1, 2}, {1, 32, 64})}, "masks must have shape");
  refuses({good, Target({1}, {1, 32, 63})},
          "masks must be padded like the images: those of the prediction are "
          "8 x 16, got 32 x 63");
  refuses({good, Target({4}, {1, 32, 64})}, "labels must be in 0 .. 3, got 4");
  refuses({good, Target({-1}, {1, 32, 64})},
          "labels must be in 0 .. 3, got -1");
  refuses({good, {torch::zeros({1}), torch::zeros({1, 32, 64})}},
          "labels must be int64");
}

TEST(CheckMaskTargetsTest, RefusesPredictionsThatDisagree) {
  EXPECT_THAT(
      [] {
        CheckMaskTargets({torch::zeros({1, 3, 5}), torch::zeros({1, 4, 8, 16})},
                         {Target({}, {0, 8, 16})});
      },
      ThrowsMessage<c10::Error>(HasSubstr("mask_logits must have shape")));
}

}  // namespace
}  // namespace mask2former
