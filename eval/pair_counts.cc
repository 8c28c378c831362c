#include "mask2former/eval/pair_counts.h"

#include <cstring>
#include <limits>
#include <opencv2/core.hpp>

namespace mask2former {
namespace {

uint64_t Word(const uint8_t* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, 8);
  return word;
}

// Bytes that are not zero: those of pixels from `x` on, in the order of memory,
// that are unlike the pixel before them in either image.
uint64_t Changes(const uint8_t* first, const uint8_t* second, int x) {
  return (Word(first + x) ^ Word(first + x - 1)) |
         (Word(second + x) ^ Word(second + x - 1));
}

// Labels come in long runs, which are counted where they end.
class RowCounter {
 public:
  RowCounter(const uint8_t* first, const uint8_t* second, PairCounts& counts)
      : first_(first), second_(second), counts_(counts) {}

  void Count(int width) {
    int x = 1;
    constexpr int kWords = 4;
    for (; x + 8 * kWords <= width; x += 8 * kWords) {
      uint64_t changes[kWords];
      for (int w = 0; w < kWords; ++w) {
        changes[w] = Changes(first_, second_, x + 8 * w);
      }
      if ((changes[0] | changes[1] | changes[2] | changes[3]) == 0) continue;
      for (int w = 0; w < kWords; ++w) EndRuns(x + 8 * w, changes[w]);
    }
    for (; x < width; ++x) {
      if (first_[x] != first_[x - 1] || second_[x] != second_[x - 1]) EndRun(x);
    }
    EndRun(width);
  }

 private:
  // The byte of the first of eight pixels is the lowest (little endian).
  void EndRuns(int x, uint64_t changes) {
    while (changes != 0) {
      const int byte = __builtin_ctzll(changes) / 8;
      EndRun(x + byte);
      changes &= ~(uint64_t{0xFF} << 8 * byte);
    }
  }

  void EndRun(int end) {
    counts_[first_[start_] << 8 | second_[start_]] += end - start_;
    start_ = end;
  }

  const uint8_t* first_;
  const uint8_t* second_;
  PairCounts& counts_;
  int start_ = 0;  // Of the run that has not ended.
};

}  // namespace

std::unique_ptr<PairCounts> CountPairs(const cv::Mat& first,
                                       const cv::Mat& second) {
  CV_CheckTypeEQ(first.type(), CV_8UC1, "the first image");
  CV_CheckTypeEQ(second.type(), CV_8UC1, "the second image");
  CV_Assert(first.size() == second.size());
  CV_Assert(first.total() <= std::numeric_limits<uint32_t>::max());
  auto counts = std::make_unique<PairCounts>();
  if (first.empty()) return counts;
  for (int y = 0; y < first.rows; ++y) {
    RowCounter(first.ptr<uint8_t>(y), second.ptr<uint8_t>(y), *counts)
        .Count(first.cols);
  }
  return counts;
}

}  // namespace mask2former
