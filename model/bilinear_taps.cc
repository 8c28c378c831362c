#include "mask2former/model/bilinear_taps.h"

#include <algorithm>

namespace mask2former {

std::vector<BilinearTap> MakeBilinearTaps(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const auto last = static_cast<int32_t>(from - 1);
  std::vector<BilinearTap> taps(to);
  for (int64_t i = 0; i < to; ++i) {
    const double at = std::max((i + 0.5) * scale - 0.5, 0.);
    const int32_t first = std::min(static_cast<int32_t>(at), last);
    taps[i] = {first, std::min(first + 1, last),
               static_cast<float>(at - first)};
  }
  return taps;
}

}  // namespace mask2former
