#include "mask2former/data/scene/random.h"

namespace mask2former {
namespace {

uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t SceneRandom::Next() {
  state_ += 0x9E3779B97F4A7C15u;
  return Mix(state_);
}

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
  uint64_t hash = Mix(seed + 0x9E3779B97F4A7C15u);
  for (const char c : split) {
    hash = Mix(hash ^ static_cast<unsigned char>(c));
  }
  return Mix(hash ^ Mix(index + 0x632BE59BD9B4E019u));
}

}  // namespace mask2former
