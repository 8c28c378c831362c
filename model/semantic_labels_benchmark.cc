// From logits to labels, for the Cityscapes crop, 512 x 1024, and the whole
// picture, 1024 x 2048: 100 queries, 19 classes. In turns with the scores of
// all classes and their argmax: ours of semantic_inference.h, and the published
// way, which makes all masks of the picture's size at once. No label's score
// may be less than the best.

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/max.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <benchmark/benchmark.h>

#include <cstdint>
#include <tuple>

#include "mask2former/common/logging.h"
#include "mask2former/common/testing/benchmark_size.h"
#include "mask2former/common/testing/compare_benchmark.h"
#include "mask2former/model/semantic_inference.h"
#include "mask2former/model/semantic_labels.h"
#include "mask2former/model/testing/confident_prediction.h"

namespace mask2former {
namespace {

at::Tensor Scores(const MaskPrediction& prediction, const ImageSize& size) {
  return SemanticInference(prediction, 0, size, size, size);
}

// Resizes once only: picture, padded picture and output are of one size.
at::Tensor PublishedScores(const MaskPrediction& prediction,
                           const ImageSize& size) {
  const at::Tensor masks =
      at::upsample_bilinear2d(prediction.mask_logits, {size.height, size.width},
                              /*align_corners=*/false)[0]
          .sigmoid();
  return at::einsum(
      "qc,qhw->chw",
      {prediction.class_logits[0].softmax(-1).slice(1, 0, -1), masks});
}

void Labels(benchmark::State& state,
            at::Tensor (*scores)(const MaskPrediction&, const ImageSize&)) {
  const at::NoGradGuard no_grad;
  const ImageSize size = {state.range(0), 2 * state.range(0)};
  const MaskPrediction prediction = ConfidentPrediction(size);
  at::Tensor labels, values;
  CompareRuns(
      state, 1,
      [&] { labels = SemanticLabels(prediction, 0, size, size, size); },
      [&] {
        values = scores(prediction, size);
        benchmark::DoNotOptimize(values.max(0));
      });
  const at::Tensor chosen =
      values.gather(0, labels.to(at::kLong).unsqueeze(0)).squeeze(0);
  const float short_of_best =
      (std::get<0>(values.max(0)) - chosen).max().item<float>();
  CHECK(short_of_best <= 2e-5) << short_of_best;
}

void Heights(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(BenchmarkSize(512, 64))->Arg(BenchmarkSize(1024, 128));
}

BENCHMARK_CAPTURE(Labels, scores_then_argmax, Scores)
    ->Apply(Heights)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Labels, published, PublishedScores)
    ->Apply(Heights)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
