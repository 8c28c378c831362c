#ifndef MASK2FORMER_TRAIN_CHOOSE_DEVICE_H_
#define MASK2FORMER_TRAIN_CHOOSE_DEVICE_H_

#include <c10/core/Device.h>

#include "absl/status/statusor.h"
#include "mask2former/train/trainer_config.pb.h"

namespace mask2former {

// Where to compute; AUTO is the first GPU that this build and machine have,
// else the CPU.
//
// Returns FailedPrecondition for CUDA where there is none.
absl::StatusOr<c10::Device> ChooseDevice(TrainerConfig::Device wanted);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_CHOOSE_DEVICE_H_
