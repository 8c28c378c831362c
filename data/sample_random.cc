#include "mask2former/data/sample_random.h"

#include "mask2former/common/logging.h"

namespace mask2former {
namespace {

constexpr uint64_t kGoldenRatio = 0x9E3779B97F4A7C15u;

uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

// Mixed twice, so that the streams of neighbouring samples do not overlap as
// those of neighbouring states would.
SampleRandom::SampleRandom(int64_t seed, int64_t sample)
    : state_(Mix(Mix(static_cast<uint64_t>(seed) + kGoldenRatio) +
                 static_cast<uint64_t>(sample) * kGoldenRatio)) {}

uint64_t SampleRandom::Next() {
  state_ += kGoldenRatio;
  return Mix(state_);
}

double SampleRandom::Uniform() {
  return static_cast<double>(Next() >> 11) * 0x1p-53;
}

double SampleRandom::Uniform(double low, double high) {
  return low + (high - low) * Uniform();
}

int64_t SampleRandom::Integer(int64_t low, int64_t high) {
  CHECK_LE(low, high);
  CHECK_LT(high - low, int64_t{0xFFFFFFFF});
  const auto range = static_cast<uint32_t>(high - low + 1);
  uint64_t product = (Next() >> 32) * range;
  // The low half tells whether this value would come up once too often.
  if (static_cast<uint32_t>(product) < range) {
    const uint32_t threshold = -range % range;
    while (static_cast<uint32_t>(product) < threshold) {
      product = (Next() >> 32) * range;
    }
  }
  return low + static_cast<int64_t>(product >> 32);
}

bool SampleRandom::Coin(double probability) { return Uniform() < probability; }

}  // namespace mask2former
