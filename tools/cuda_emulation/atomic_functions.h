#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_ATOMIC_FUNCTIONS_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_ATOMIC_FUNCTIONS_H_

// CUDA's atomic functions. Threads take turns, so plain arithmetic will do; the
// race detector is told that it is more.

#include <algorithm>

#include "mask2former/tools/cuda_emulation/block.h"
#include "mask2former/tools/cuda_emulation/vector_types.h"

namespace mask2former {

template <typename T, typename Change>
T ChangeAtomically(T* address, Change change) {
  BeginAtomic();
  const T old = *address;
  *address = static_cast<T>(change(old));
  EndAtomic();
  return old;
}

}  // namespace mask2former

#define M2F_ATOMIC(name, T, expression)                                  \
  inline T name(T* address, T value) {                                   \
    return mask2former::ChangeAtomically(                                \
        address, [value](T old) { return static_cast<T>(expression); }); \
  }

// NOLINTBEGIN(google-runtime-int): CUDA's own types.
M2F_ATOMIC(atomicAdd, int,
           static_cast<unsigned>(old) + static_cast<unsigned>(value))
M2F_ATOMIC(atomicAdd, unsigned, old + value)
M2F_ATOMIC(atomicAdd, unsigned long long, old + value)
M2F_ATOMIC(atomicAdd, float, old + value)
M2F_ATOMIC(atomicAdd, double, old + value)
M2F_ATOMIC(atomicSub, int,
           static_cast<unsigned>(old) - static_cast<unsigned>(value))
M2F_ATOMIC(atomicSub, unsigned, old - value)
M2F_ATOMIC(atomicMax, int, std::max(old, value))
M2F_ATOMIC(atomicMax, unsigned, std::max(old, value))
M2F_ATOMIC(atomicMax, long long, std::max(old, value))
M2F_ATOMIC(atomicMax, unsigned long long, std::max(old, value))
M2F_ATOMIC(atomicMin, int, std::min(old, value))
M2F_ATOMIC(atomicMin, unsigned, std::min(old, value))
M2F_ATOMIC(atomicMin, long long, std::min(old, value))
M2F_ATOMIC(atomicMin, unsigned long long, std::min(old, value))
M2F_ATOMIC(atomicAnd, int, old& value)
M2F_ATOMIC(atomicAnd, unsigned, old& value)
M2F_ATOMIC(atomicOr, int, old | value)
M2F_ATOMIC(atomicOr, unsigned, old | value)
M2F_ATOMIC(atomicXor, unsigned, old ^ value)
M2F_ATOMIC(atomicExch, int, (static_cast<void>(old), value))
M2F_ATOMIC(atomicExch, unsigned, (static_cast<void>(old), value))
M2F_ATOMIC(atomicExch, unsigned long long, (static_cast<void>(old), value))
M2F_ATOMIC(atomicExch, float, (static_cast<void>(old), value))

#undef M2F_ATOMIC

template <typename T>
T atomicCAS(T* address, T expected, T value) {
  return mask2former::ChangeAtomically(
      address, [&](T old) { return old == expected ? value : old; });
}

// Of an sm_90 GPU, in global memory.
inline float2 atomicAdd(float2* address, float2 value) {
  return mask2former::ChangeAtomically(address, [value](float2 old) {
    return float2{old.x + value.x, old.y + value.y};
  });
}

inline float4 atomicAdd(float4* address, float4 value) {
  return mask2former::ChangeAtomically(address, [value](float4 old) {
    return float4{old.x + value.x, old.y + value.y, old.z + value.z,
                  old.w + value.w};
  });
}
// NOLINTEND

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_ATOMIC_FUNCTIONS_H_
