#include "mask2former/data/scene/noise.h"

#include <cmath>

namespace mask2former {
namespace {

float Smooth(float t) { return t * t * (3 - 2 * t); }

}  // namespace

float ValueNoise(float x, float y, uint32_t seed) {
  const float floor_x = std::floor(x);
  const float floor_y = std::floor(y);
  const auto ix = static_cast<int32_t>(floor_x);
  const auto iy = static_cast<int32_t>(floor_y);
  const float tx = Smooth(x - floor_x);
  const float ty = Smooth(y - floor_y);
  const float a = CellNoise(ix, iy, seed);
  const float b = CellNoise(ix + 1, iy, seed);
  const float c = CellNoise(ix, iy + 1, seed);
  const float d = CellNoise(ix + 1, iy + 1, seed);
  const float top = a + (b - a) * tx;
  const float bottom = c + (d - c) * tx;
  return top + (bottom - top) * ty;
}

float FractalNoise(float x, float y, uint32_t seed, int octaves) {
  float sum = 0;
  float weight = 1;
  float total = 0;
  for (int i = 0; i < octaves; ++i) {
    sum += weight * ValueNoise(x, y, seed + 0x51ED27u * i);
    total += weight;
    weight *= 0.5f;
    x = x * 2 + 17.3f;
    y = y * 2 + 5.7f;
  }
  return sum / total;
}

}  // namespace mask2former
