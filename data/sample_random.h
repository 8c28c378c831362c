#ifndef MASK2FORMER_DATA_SAMPLE_RANDOM_H_
#define MASK2FORMER_DATA_SAMPLE_RANDOM_H_

#include <cstdint>

#include "mask2former/data/split_mix64.h"

namespace mask2former {

// Random numbers of one sample, the same on every machine and in every thread:
// they depend on the seed and the sample's number in the stream only. The
// standard library's distributions would differ between its implementations.
//
// Source: Lemire, "Fast Random Integer Generation in an Interval", ACM TOMACS
// 2019; bits by SplitMix64.
class SampleRandom {
 public:
  SampleRandom(int64_t seed, int64_t sample);

  // Uniform in [0, 1), a multiple of 2^-53.
  double Uniform();

  // Uniform in [low, high).
  double Uniform(double low, double high);

  // Uniform integer in [low, high], both ends included; high - low < 2^32 - 1.
  int64_t Integer(int64_t low, int64_t high);

  // True with this probability.
  bool Coin(double probability = 0.5);

 private:
  SplitMix64 bits_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SAMPLE_RANDOM_H_
