#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_BLOCK_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_BLOCK_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "mask2former/tools/cuda_emulation/fibre.h"
#include "mask2former/tools/cuda_emulation/vector_types.h"

// Of the thread that runs; constant, as seen from a kernel.
extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;
extern const int warpSize;  // No constant expression in CUDA, either.

namespace mask2former {

// Where kernel code called an emulated function.
struct CallPlace {
  static CallPlace Here(const char* function = __builtin_FUNCTION(),
                        const char* file = __builtin_FILE(),
                        int line = __builtin_LINE()) {
    return {function, file, line};
  }

  const char* function;
  const char* file;
  int line;
};

// What a lane hands in at a function of the whole warp.
struct LaneInput {
  uint64_t value;
  int32_t parameter;
};

// The lane's result. inputs[i] is set for each bit i of `mask`.
using WarpCombine = uint64_t (*)(int lane, uint32_t mask,
                                 const LaneInput* inputs);

// Waits until every lane of `mask` has called with the same function and mask,
// and returns the lane's result. Called on a thread's fibre, as is the next.
uint64_t WarpCollective(const char* name, uint32_t mask, LaneInput input,
                        WarpCombine combine, CallPlace place);

// Waits until every thread of the block has called from one line of one file,
// and returns how many of them gave true.
int BlockBarrier(const char* name, bool predicate, CallPlace place);

// True on a thread's fibre.
bool InsideKernel();

// Tells the race detector of a load or store by the running thread, if there
// is one.
void UseMemory(const void* address, size_t bytes, bool write,
               const void* place);

// The accesses between the two count as one atomic operation.
void BeginAtomic();
void EndAtomic();

// Runs the threads of one block after another, each until it waits for others.
// Whoever relies on an order that no barrier enforces is likely to be found:
// warps, and lanes in them, take turns in random order.
//
// Divergence that would hang a GPU, or leave its result undefined, is an error:
// a barrier or warp function that some thread it waits for never reaches,
// because it returned, waits elsewhere or does not exist; a barrier reached
// from two lines; a lane outside its own mask.
class BlockEmulator {
 public:
  BlockEmulator(dim3 size, void (*body)(void*), void* argument);

  // Runs the block at blockIdx. What went wrong, or "".
  std::string Run(std::mt19937_64& random);

 private:
  friend uint64_t WarpCollective(const char* name, uint32_t mask,
                                 LaneInput input, WarpCombine combine,
                                 CallPlace place);
  friend int BlockBarrier(const char* name, bool predicate, CallPlace place);
  friend void UseMemory(const void* address, size_t bytes, bool write,
                        const void* place);

  enum class State { kReady, kAtWarpFunction, kAtBarrier, kReturned };

  struct Thread {
    Fibre fibre;
    uint3 index;
    State state;
    // Where it waits, and for whom.
    const char* name;
    CallPlace place;
    uint32_t mask;
    WarpCombine combine;
    uint64_t result;
  };

  struct Warp {
    uint32_t waiting;  // Lanes in state kAtWarpFunction.
    LaneInput inputs[32];
  };

  uint64_t EnterWarpFunction(const char* name, uint32_t mask, LaneInput input,
                             WarpCombine combine, CallPlace place);
  int EnterBarrier(const char* name, bool predicate, CallPlace place);
  // Runs the ready threads of a warp until none is; true if any ran.
  bool RunWarp(int warp, const int* lanes);
  // Leaves the block for good, after error_ was set. The thread's local
  // variables are not destroyed.
  [[noreturn]] void Abandon();
  std::string DescribeDeadlock() const;
  uint32_t Lanes(int warp) const;  // That exist.

  const dim3 size_;
  void (*const body_)(void*);
  void* const argument_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Warp> warps_;
  int current_ = 0;
  int at_barrier_ = 0;
  int true_at_barrier_ = 0;
  int barrier_result_ = 0;
  std::string error_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_BLOCK_H_
