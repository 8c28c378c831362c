#include "mask2former/eval/pair_counts.h"

#include <cstring>
#include <limits>
#include <opencv2/core.hpp>

namespace mask2former {
namespace {

constexpr uint64_t kEveryByte = 0x0101010101010101;

// Counts of pixels at even and at odd places: one counter would have to wait
// for itself wherever neighbours are alike.
struct Counts {
  PairCounts even{};
  PairCounts odd{};
};

// Labels come in long runs: eight pixels at a time where all are alike, which
// are not even counted in memory until the next such eight differ.
void CountRow(const uint8_t* first, const uint8_t* second, int width,
              Counts& counts) {
  uint64_t run_first = 0, run_second = 0;
  uint32_t run = 0;
  const auto end_run = [&] {
    counts.even[(run_first & 0xFF) << 8 | (run_second & 0xFF)] += run;
  };
  int x = 0;
  for (; x + 8 <= width; x += 8) {
    uint64_t a, b;
    std::memcpy(&a, first + x, 8);
    std::memcpy(&b, second + x, 8);
    if (a == run_first && b == run_second) {
      run += 8;
    } else if (a == (a & 0xFF) * kEveryByte && b == (b & 0xFF) * kEveryByte) {
      end_run();
      run_first = a;
      run_second = b;
      run = 8;
    } else {
      for (int i = 0; i < 4; ++i, a >>= 16, b >>= 16) {
        ++counts.even[(a & 0xFF) << 8 | (b & 0xFF)];
        ++counts.odd[(a & 0xFF00) | (b >> 8 & 0xFF)];
      }
    }
  }
  end_run();
  for (; x < width; ++x) ++counts.even[first[x] << 8 | second[x]];
}

}  // namespace

std::unique_ptr<PairCounts> CountPairs(const cv::Mat& first,
                                       const cv::Mat& second) {
  CV_Assert(first.total() <= std::numeric_limits<uint32_t>::max());
  const auto counts = std::make_unique<Counts>();
  for (int y = 0; y < first.rows; ++y) {
    CountRow(first.ptr<uint8_t>(y), second.ptr<uint8_t>(y), first.cols,
             *counts);
  }
  auto pairs = std::make_unique<PairCounts>(counts->even);
  for (size_t i = 0; i < pairs->size(); ++i) (*pairs)[i] += counts->odd[i];
  return pairs;
}

}  // namespace mask2former
