// What semantic inference needs beyond the network's prediction.

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>

#include "mask2former/model/semantic_labels.h"
#include "mask2former/model/semantic_labels_in_bands.h"

namespace mask2former {
namespace {

constexpr int64_t kMiB = 1 << 20;

// A line "<name>: <n> kB" of what the system says of this process, in bytes.
int64_t StatusBytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != name + ":") continue;
    int64_t kilobytes = 0;
    status >> kilobytes;
    return kilobytes * 1024;
  }
  return 0;
}

// How much higher the process's memory was meanwhile than before.
template <typename Work>
int64_t PeakBytes(const Work& work) {
  std::ofstream("/proc/self/clear_refs") << "5";  // Forgets the old peak.
  const int64_t before = StatusBytes("VmRSS");
  work();
  return StatusBytes("VmHWM") - before;
}

class SemanticLabelsMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (StatusBytes("VmHWM") == 0 ||
        !std::ofstream("/proc/self/clear_refs").is_open()) {
      GTEST_SKIP() << "this system does not say how much memory is in use";
    }
  }

  static MaskPrediction Prediction(const ImageSize& padded) {
    return {at::randn({1, 100, 20}),
            at::randn({1, 100, padded.height / 4, padded.width / 4})};
  }
};

TEST_F(SemanticLabelsMemoryTest, AWholeCityscapesPictureTakes64MiB) {
  const ImageSize size = {1024, 2048};
  const MaskPrediction prediction = Prediction(size);
  for (const bool resize_before_scores : {false, true}) {
    EXPECT_LE(PeakBytes([&] {
                SemanticLabels(prediction, 0, size, size, size,
                               resize_before_scores);
              }),
              64 * kMiB);
    EXPECT_LE(PeakBytes([&] {
                SemanticLabelsInBands(prediction, 0, size, size, size,
                                      resize_before_scores);
              }),
              64 * kMiB);
  }
}

// 4000 x 5000 is looked at as 1024 x 1280; its labels alone take 19 MiB of it.
TEST_F(SemanticLabelsMemoryTest, ALargePictureTakesNoMore) {
  const ImageSize size = {1024, 1280}, output = {4000, 5000};
  const MaskPrediction prediction = Prediction(size);
  for (const bool resize_before_scores : {false, true}) {
    EXPECT_LE(PeakBytes([&] {
                SemanticLabels(prediction, 0, size, size, output,
                               resize_before_scores);
              }),
              64 * kMiB);
  }
}

}  // namespace
}  // namespace mask2former
