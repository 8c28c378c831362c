// What inference needs beyond the network's prediction.

#include <ATen/Context.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "mask2former/model/instance_inference.h"
#include "mask2former/model/panoptic_inference.h"
#include "mask2former/model/semantic_labels.h"
#include "mask2former/model/semantic_labels_in_bands.h"

namespace mask2former {
namespace {

constexpr int64_t kMiB = 1 << 20;

// 4000 x 5000 as the network looks at it, and what comes out.
constexpr ImageSize kSmall = {1024, 1280}, kLarge = {4000, 5000};
constexpr ImageSize kCityscapes = {1024, 2048};

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

class InferenceMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (StatusBytes("VmHWM") == 0 ||
        !std::ofstream("/proc/self/clear_refs").is_open()) {
      GTEST_SKIP() << "this system does not say how much memory is in use";
    }
    at::manual_seed(1);
  }

  // Queries whose masks are blobs.
  static MaskPrediction Prediction(const ImageSize& padded,
                                   int64_t queries = 100,
                                   int64_t classes = 19) {
    return {at::randn({1, queries, classes + 1}),
            at::upsample_bilinear2d(at::randn({1, queries, 16, 32}),
                                    {padded.height / 4, padded.width / 4},
                                    /*align_corners=*/false)};
  }

  // For bands fewer queries do: they have more rows where there are fewer.
  static int64_t SemanticPeak(const MaskPrediction& prediction,
                              const ImageSize& padded, const ImageSize& image,
                              const ImageSize& output,
                              bool resize_before_scores = false) {
    const MaskPrediction few = {prediction.class_logits.narrow(1, 0, 10),
                                prediction.mask_logits.narrow(1, 0, 10)};
    return std::max(PeakBytes([&] {
                      SemanticLabels(prediction, 0, padded, image, output,
                                     resize_before_scores);
                    }),
                    PeakBytes([&] {
                      SemanticLabelsInBands(few, 0, padded, image, output,
                                            resize_before_scores);
                    }));
  }

  // Beyond the map that is returned. Of the queries those count that are
  // surer than `threshold`.
  static int64_t PanopticPeak(const ImageSize& size, const ImageSize& output,
                              double threshold) {
    const MaskPrediction prediction = Prediction(size);
    PanopticOptions options;
    options.object_mask_threshold = threshold;
    options.overlap_threshold = 0;
    options.is_thing.assign(19, true);
    PanopticPrediction result;
    const int64_t peak = PeakBytes([&] {
      result = PanopticInference(prediction, 0, size, size, output, options);
    });
    EXPECT_GT(result.segments.size(), 4) << "or this test says little";
    return peak - 4 * output.height * output.width;
  }

  // Beyond the masks that are returned.
  static int64_t InstancePeak(const ImageSize& size, const ImageSize& output,
                              int64_t top_k) {
    const MaskPrediction prediction = Prediction(size);
    InstanceOptions options;
    options.top_k = top_k;
    std::vector<InstancePrediction> result;
    const int64_t peak = PeakBytes([&] {
      result = InstanceInference(prediction, 0, size, size, output, options);
    });
    std::map<int64_t, int64_t> bytes;  // By query.
    for (const InstancePrediction& instance : result) {
      bytes[instance.query] =
          static_cast<int64_t>(instance.mask->runs().size() * 4);
    }
    EXPECT_GT(bytes.size(), 4) << "or this test says little";
    int64_t masks = 0;
    for (const auto& [query, size] : bytes) masks += size;
    // A byte a pixel would be ten times as much.
    EXPECT_LT(10 * masks, static_cast<int64_t>(bytes.size()) * output.height *
                              output.width);
    RecordProperty("masks_KiB", std::to_string(masks / 1024));
    return peak - masks;
  }
};

// At most `limit`; the figure itself is in the test's record.
void ExpectWithin(int64_t bytes, int64_t limit, const std::string& name) {
  testing::Test::RecordProperty(name + "_KiB", std::to_string(bytes / 1024));
  EXPECT_LE(bytes, limit) << name;
}

TEST_F(InferenceMemoryTest, LabelsOfACityscapesPictureTake64MiB) {
  const MaskPrediction prediction = Prediction(kCityscapes);
  for (const bool resize_before_scores : {false, true}) {
    ExpectWithin(SemanticPeak(prediction, kCityscapes, kCityscapes, kCityscapes,
                              resize_before_scores),
                 64 * kMiB, "labels");
  }
}

// The labels alone take 19 MiB of it. Whole, the masks of all queries would be
// 7600 MiB; those of few, which take less time, 1500, and the scores of few
// classes 380.
TEST_F(InferenceMemoryTest, LabelsOfALargePictureTakeNoMore) {
  for (const bool resize_before_scores : {false, true}) {
    const MaskPrediction prediction =
        resize_before_scores ? Prediction(kSmall, /*queries=*/20, /*classes=*/5)
                             : Prediction(kSmall);
    ExpectWithin(
        SemanticPeak(prediction, kSmall, kSmall, kLarge, resize_before_scores),
        64 * kMiB, "labels");
  }
}

// Also if the network looks at all of it.
TEST_F(InferenceMemoryTest, LabelsOfALargeInputTakeNoMore) {
  const MaskPrediction prediction = {at::randn({1, 20, 6}),
                                     at::zeros({1, 20, 1000, 1256})};
  ExpectWithin(SemanticPeak(prediction, {4000, 5024}, kLarge, kLarge),
               64 * kMiB, "labels");
}

TEST_F(InferenceMemoryTest, SegmentsTake24MiBBesideTheirMap) {
  ExpectWithin(PanopticPeak(kCityscapes, kCityscapes, 0.2), 24 * kMiB,
               "same_size");
  ExpectWithin(PanopticPeak(kSmall, kLarge, 0.3), 24 * kMiB, "larger");
}

TEST_F(InferenceMemoryTest, InstancesTake24MiBBesideTheirMasks) {
  ExpectWithin(InstancePeak(kCityscapes, kCityscapes, 30), 24 * kMiB,
               "same_size");
  ExpectWithin(InstancePeak(kSmall, kLarge, 10), 24 * kMiB, "larger");
}

}  // namespace
}  // namespace mask2former
