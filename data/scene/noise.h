#ifndef MASK2FORMER_DATA_SCENE_NOISE_H_
#define MASK2FORMER_DATA_SCENE_NOISE_H_

// Functions of a place that look random: the same place and seed give the same
// value on every machine.

#include <cstdint>

namespace mask2former {

// 32 bits of the lattice cell (x, y).
inline uint32_t HashCell(int32_t x, int32_t y, uint32_t seed) {
  uint32_t h = static_cast<uint32_t>(x) * 0x9E3779B1u ^
               static_cast<uint32_t>(y) * 0x85EBCA77u ^ seed * 0xC2B2AE3Du;
  h = (h ^ (h >> 15)) * 0x2C1B3C6Du;
  h = (h ^ (h >> 12)) * 0x297A2D39u;
  return h ^ (h >> 15);
}

// A value in [0, 1) per cell.
inline float CellNoise(int32_t x, int32_t y, uint32_t seed) {
  return static_cast<float>(HashCell(x, y, seed) >> 8) * 0x1p-24f;
}

// Interpolates CellNoise() smoothly: [0, 1), features of size 1.
float ValueNoise(float x, float y, uint32_t seed);

// Sum of `octaves` value noises of sizes 1, 1/2, 1/4, ..., in [0, 1).
float FractalNoise(float x, float y, uint32_t seed, int octaves);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_NOISE_H_
