#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_SHARED_MEMORY_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_SHARED_MEMORY_H_

#include <cstddef>
#include <vector>

#include "mask2former/tools/cuda_emulation/race_detector.h"

namespace mask2former {

// The shared memory of the block that runs. One object at a time.
//
// Dynamic shared memory is heap memory of exactly the launch's size. Static
// shared memory is the program's sections ".noinit" and ".noinit.<name>", where
// __shared__ puts variables; AddressSanitizer guards each. Before every block
// both are filled with bytes 0xff, which are NaN in every floating-point type:
// a kernel that reads what its block did not write is found by its result.
class SharedMemory {
 public:
  explicit SharedMemory(size_t dynamic_bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  void Poison();

  // Where it lies.
  std::vector<RaceDetector::Region> Regions() const;

 private:
  const size_t dynamic_bytes_;
};

// Aligned to 16 bytes.
void* DynamicSharedMemoryOfBlock();

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_SHARED_MEMORY_H_
