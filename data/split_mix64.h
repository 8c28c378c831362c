#ifndef MASK2FORMER_DATA_SPLIT_MIX64_H_
#define MASK2FORMER_DATA_SPLIT_MIX64_H_

#include <cstdint>

namespace mask2former {

// Sixty-four random bits at a time, the same with every compiler. Any seed will
// do; streams of seeds that differ by a multiple of kStep overlap, so mix seeds
// that are counted up.
//
// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators",
// OOPSLA 2014.
class SplitMix64 {
 public:
  static constexpr uint64_t kStep = 0x9E3779B97F4A7C15u;

  explicit SplitMix64(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += kStep;
    return Mix(state_);
  }

  // A permutation of the numbers of 64 bits in which each bit of `z` moves half
  // of the result's.
  static uint64_t Mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SPLIT_MIX64_H_
