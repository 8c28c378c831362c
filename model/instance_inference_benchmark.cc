// From logits to instances for the whole Cityscapes picture, 1024 x 2048: 100
// queries, 20 of them segments; the 100 most probable pairs of query and class,
// of which the things are kept. The network sees all of it, or half the height
// and width, so that masks are resized twice. Ours takes the masks of the
// queries that are kept, some rows at a time, and hands them out as run
// lengths; theirs, the published way, first makes those of all queries whole
// and hands out those kept as bool maps. Both take turns, with the same
// threads, and must find the same instances.

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
#include "mask2former/model/testing/published_masks.h"

namespace mask2former {
namespace {

const ImageSize kOutput = {BenchmarkSize(1024, 128), BenchmarkSize(2048, 256)};
constexpr int64_t kFirstThing = 11;  // Of 19 classes.

struct PublishedInstances {
  at::Tensor scores;  // [n]
  at::Tensor masks;   // [n, H, W] bool
};

PublishedInstances Published(const MaskPrediction& prediction,
                             const ImageSize& image, int64_t top_k) {
  const at::NoGradGuard no_grad;
  at::Tensor logits = PublishedMasks(prediction.mask_logits, image, kOutput);
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
  const ImageSize image = {kOutput.height / state.range(0),
                           kOutput.width / state.range(0)};
  const MaskPrediction prediction = ConfidentPrediction(image);
  InstanceOptions options;
  options.is_thing.assign(19, false);
  for (int64_t k = kFirstThing; k < 19; ++k) options.is_thing[k] = true;
  std::vector<InstancePrediction> ours;
  PublishedInstances theirs;
  CompareRuns(
      state, 1,
      [&] {
        ours = InstanceInference(prediction, 0, image, image, kOutput, options);
      },
      [&] { theirs = Published(prediction, image, options.top_k); });
  CheckSame(ours, theirs);
}
BENCHMARK(Instances)
    ->ArgName("smaller_by")
    ->Arg(1)
    ->Arg(2)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
