#include "mask2former/data/scene/random.h"

namespace mask2former {

double SceneRandom::Uniform(double low, double high) {
  constexpr double kUnit = 1.0 / (uint64_t{1} << 53);
  return low + (high - low) * (static_cast<double>(Next() >> 11) * kUnit);
}

int SceneRandom::Integer(int low, int high) {
  const uint64_t range = static_cast<uint64_t>(int64_t{high} - low + 1);
  return static_cast<int>(low +
                          static_cast<int64_t>(((Next() >> 32) * range) >> 32));
}

uint64_t SceneSeed(uint64_t seed, absl::string_view split, uint64_t index) {
  const auto mix = SplitMix64::Mix;
  uint64_t hash = mix(seed + SplitMix64::kStep);
  for (const char c : split) {
    hash = mix(hash ^ static_cast<unsigned char>(c));
  }
  return mix(hash ^ mix(index + 0x632BE59BD9B4E019u));
}

}  // namespace mask2former
