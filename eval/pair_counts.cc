#include "mask2former/eval/pair_counts.h"

#include <cstring>

namespace mask2former {
namespace {

constexpr uint64_t kEveryByte = 0x0101010101010101;

// Labels come in long runs: eight pixels at a time where all are alike.
void CountRow(const uint8_t* first, const uint8_t* second, int width,
              PairCounts& pairs) {
  int x = 0;
  for (; x + 8 <= width; x += 8) {
    uint64_t a, b;
    std::memcpy(&a, first + x, 8);
    std::memcpy(&b, second + x, 8);
    if (a == first[x] * kEveryByte && b == second[x] * kEveryByte) {
      pairs[first[x] * 256 + second[x]] += 8;
    } else {
      for (int i = x; i < x + 8; ++i) ++pairs[first[i] * 256 + second[i]];
    }
  }
  for (; x < width; ++x) ++pairs[first[x] * 256 + second[x]];
}

}  // namespace

std::unique_ptr<PairCounts> CountPairs(const cv::Mat& first,
                                       const cv::Mat& second) {
  auto pairs = std::make_unique<PairCounts>();
  pairs->fill(0);
  for (int y = 0; y < first.rows; ++y) {
    CountRow(first.ptr<uint8_t>(y), second.ptr<uint8_t>(y), first.cols, *pairs);
  }
  return pairs;
}

}  // namespace mask2former
