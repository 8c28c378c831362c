#include "mask2former/train/optimizer/loss_scale.h"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

// What torch.amp.GradScaler does with the same steps.
TEST(LossScaleTest, HalvesOnOverflowAndDoublesAfter2000GoodSteps) {
  LossScale scale;
  EXPECT_EQ(scale.value(), 65536);
  scale.Update(false);
  scale.Update(false);
  EXPECT_EQ(scale.value(), 16384);
  for (int i = 0; i < 1999; ++i) scale.Update(true);
  EXPECT_EQ(scale.value(), 16384);
  scale.Update(true);
  EXPECT_EQ(scale.value(), 32768);
  for (int i = 0; i < 1999; ++i) scale.Update(true);
  scale.Update(false);  // Counts anew.
  EXPECT_EQ(scale.value(), 16384);
  for (int i = 0; i < 1999; ++i) scale.Update(true);
  EXPECT_EQ(scale.value(), 16384);
}

TEST(LossScaleTest, GoesOnFromItsState) {
  LossScale scale;
  scale.Update(false);
  for (int i = 0; i < 1500; ++i) scale.Update(true);
  LossScale other;
  ASSERT_THAT(other.LoadState(scale.State()), IsOk());
  for (int i = 0; i < 500; ++i) other.Update(true);
  EXPECT_EQ(other.value(), 65536);
}

TEST(LossScaleTest, RefusesWhatIsNoState) {
  LossScale scale;
  EXPECT_THAT(scale.LoadState({}), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("good_steps")));
  auto state = scale.State();
  state["value"] = at::full({}, 0.0, at::kDouble);
  EXPECT_THAT(
      scale.LoadState(state),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("positive")));
  EXPECT_EQ(scale.value(), 65536);
}

}  // namespace
}  // namespace mask2former
