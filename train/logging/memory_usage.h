#ifndef MASK2FORMER_TRAIN_LOGGING_MEMORY_USAGE_H_
#define MASK2FORMER_TRAIN_LOGGING_MEMORY_USAGE_H_

#include <c10/core/Device.h>

#include <cstdint>

namespace mask2former {

// The most memory that was in use at a time so far, in bytes: of tensors on a
// device with an allocator of LibTorch's, and of this process (resident set) on
// the CPU. 0 where the system does not say.
int64_t PeakMemory(c10::Device device);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_LOGGING_MEMORY_USAGE_H_
