#include "mask2former/train/choose_device.h"

#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

TEST(ChooseDeviceTest, TheCpuIsAlwaysThere) {
  EXPECT_EQ(*ChooseDevice(TrainerConfig::CPU), c10::Device(c10::kCPU));
}

TEST(ChooseDeviceTest, AutoTakesAGpuIfThereIsOne) {
  EXPECT_EQ(ChooseDevice(TrainerConfig::AUTO)->is_cuda(),
            at::globalContext().hasCUDA());
}

TEST(ChooseDeviceTest, AskingForAMissingGpuSaysWhatToDo) {
  const auto device = ChooseDevice(TrainerConfig::CUDA);
  if (at::globalContext().hasCUDA()) {
    EXPECT_EQ(*device, c10::Device(c10::kCUDA, 0));
  } else {
    EXPECT_THAT(device, StatusIs(absl::StatusCode::kFailedPrecondition,
                                 HasSubstr("--set trainer.device=CPU")));
  }
}

}  // namespace
}  // namespace mask2former
