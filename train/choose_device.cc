#include "mask2former/train/choose_device.h"

#include <ATen/Context.h>

#include "absl/status/status.h"

namespace mask2former {

absl::StatusOr<c10::Device> ChooseDevice(TrainerConfig::Device wanted) {
  const bool has_cuda = at::globalContext().hasCUDA();
  if (wanted == TrainerConfig::CUDA && !has_cuda) {
    return absl::FailedPreconditionError(
        "trainer.device is CUDA, but there is no GPU that this build can use; "
        "--set trainer.device=CPU computes on the CPU");
  }
  return wanted == TrainerConfig::CPU || !has_cuda ? c10::Device(c10::kCPU)
                                                   : c10::Device(c10::kCUDA, 0);
}

}  // namespace mask2former
