#include "mask2former/data/sample_random.h"

#include "mask2former/common/logging.h"

namespace mask2former {

// Mixed twice, so that the streams of neighbouring samples do not overlap as
// those of neighbouring states would.
SampleRandom::SampleRandom(int64_t seed, int64_t sample)
    : bits_(SplitMix64::Mix(
          SplitMix64::Mix(static_cast<uint64_t>(seed) + SplitMix64::kStep) +
          static_cast<uint64_t>(sample) * SplitMix64::kStep)) {}

double SampleRandom::Uniform() {
  return static_cast<double>(bits_.Next() >> 11) * 0x1p-53;
}

double SampleRandom::Uniform(double low, double high) {
  return low + (high - low) * Uniform();
}

int64_t SampleRandom::Integer(int64_t low, int64_t high) {
  CHECK_LE(low, high);
  CHECK_LT(high - low, int64_t{0xFFFFFFFF});
  const auto range = static_cast<uint32_t>(high - low + 1);
  uint64_t product = (bits_.Next() >> 32) * range;
  // The low half tells whether this value would come up once too often.
  if (static_cast<uint32_t>(product) < range) {
    const uint32_t threshold = -range % range;
    while (static_cast<uint32_t>(product) < threshold) {
      product = (bits_.Next() >> 32) * range;
    }
  }
  return low + static_cast<int64_t>(product >> 32);
}

bool SampleRandom::Coin(double probability) { return Uniform() < probability; }

}  // namespace mask2former
