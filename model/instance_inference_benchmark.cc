// From logits to instances for the whole Cityscapes picture, 1024 x 2048: 100
// queries, 20 of them segments; the 100 most probable pairs of query and class,
// of which the things are kept. In turns with the published way, which makes
// all masks of the picture's size at once; both must find the same instances.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include <cmath>
#include <tuple>
#include <vector>

#include "mask2former/common/logging.h"
#include "mask2former/common/testing/benchmark_size.h"
#include "mask2former/common/testing/compare_benchmark.h"
#include "mask2former/model/instance_inference.h"
#include "mask2former/model/testing/confident_prediction.h"

namespace mask2former {
namespace {

const ImageSize kSize = {BenchmarkSize(1024, 128), BenchmarkSize(2048, 256)};
constexpr int64_t kFirstThing = 11;  // Of 19 classes.

struct PublishedInstances {
  at::Tensor scores;  // [n]
  at::Tensor masks;   // [n, H, W] bool
};

// Resizes once only: picture, padded picture and output are of one size.
PublishedInstances Published(const MaskPrediction& prediction, int64_t top_k) {
  const at::NoGradGuard no_grad;
  at::Tensor logits = at::upsample_bilinear2d(prediction.mask_logits,
                                              {kSize.height, kSize.width},
                                              /*align_corners=*/false)[0];
  const at::Tensor probabilities =
      prediction.class_logits[0].softmax(-1).slice(1, 0, -1);
  const int64_t classes = probabilities.size(1);
  const auto [scores, pairs] = probabilities.flatten().topk(top_k);
  const at::Tensor things =
      pairs.remainder(classes).ge(kFirstThing).nonzero().flatten();
  const at::Tensor queries =
      pairs.index_select(0, things).floor_divide(classes);
  logits = logits.index_select(0, queries);
  const at::Tensor masks = logits.gt(0);
  const at::Tensor inside = masks.flatten(1).to(at::kFloat);
  const at::Tensor quality =
      (logits.sigmoid().flatten(1) * inside).sum(1) / (inside.sum(1) + 1e-6);
  return {scores.index_select(0, things) * quality, masks};
}

void CheckSame(const std::vector<InstancePrediction>& ours,
               const PublishedInstances& theirs) {
  CHECK(static_cast<int64_t>(ours.size()) == theirs.scores.numel());
  const auto [scores, order] = theirs.scores.sort(/*dim=*/0, true);
  int64_t found = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    const double score = scores[i].item<double>();
    CHECK(std::abs(ours[i].score - score) < 1e-5)
        << ours[i].score << " and " << score;
    const at::Tensor mask = theirs.masks[order[i].item<int64_t>()];
    // Without a mask the score is 0, and the order is anybody's.
    if (score < 0.5) continue;
    ++found;
    // A few pixels may be on the edge.
    const int64_t different =
        DecodeMask(*ours[i].mask).ne(mask).sum().item<int64_t>();
    CHECK(different <= 20) << different << " pixels differ";
  }
  CHECK(found == 8) << found;  // One of each class from kFirstThing on.
}

void Instances(benchmark::State& state) {
  const MaskPrediction prediction = ConfidentPrediction(kSize);
  InstanceOptions options;
  options.is_thing.assign(19, false);
  for (int64_t k = kFirstThing; k < 19; ++k) options.is_thing[k] = true;
  std::vector<InstancePrediction> ours;
  PublishedInstances theirs;
  CompareRuns(
      state, 1,
      [&] {
        ours = InstanceInference(prediction, 0, kSize, kSize, kSize, options);
      },
      [&] { theirs = Published(prediction, options.top_k); });
  CheckSame(ours, theirs);
}
BENCHMARK(Instances)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
