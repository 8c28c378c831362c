// From logits to segments for the whole Cityscapes picture, 1024 x 2048: 100
// queries, 20 of them segments. The network sees all of it, or half the height
// and width, so that masks are resized twice. Ours takes the masks of the
// queries that count, some rows at a time; theirs, the published way, first
// makes those of all queries whole. Both take turns, with the same threads, and
// must find the same segments.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "mask2former/common/logging.h"
#include "mask2former/common/testing/benchmark_size.h"
#include "mask2former/common/testing/compare_benchmark.h"
#include "mask2former/model/panoptic_inference.h"
#include "mask2former/model/testing/confident_prediction.h"
#include "mask2former/model/testing/published_masks.h"

namespace mask2former {
namespace {

const ImageSize kOutput = {BenchmarkSize(1024, 128), BenchmarkSize(2048, 256)};

PanopticOptions Options() {
  PanopticOptions options;
  options.is_thing.assign(19, false);
  std::fill(options.is_thing.begin() + 11, options.is_thing.end(), true);
  return options;
}

at::Tensor PublishedIds(const MaskPrediction& prediction,
                        const ImageSize& image,
                        const PanopticOptions& options) {
  const at::NoGradGuard no_grad;
  const at::Tensor masks =
      PublishedMasks(prediction.mask_logits, image, kOutput).sigmoid();
  const auto [scores, labels] = prediction.class_logits[0].softmax(-1).max(-1);
  const at::Tensor which =
      labels.ne(prediction.class_logits.size(-1) - 1)
          .logical_and(scores.gt(options.object_mask_threshold))
          .nonzero()
          .flatten();
  at::Tensor ids = at::zeros({kOutput.height, kOutput.width}, at::kInt);
  const at::Tensor kept = masks.index_select(0, which);
  const at::Tensor owner =
      (scores.index_select(0, which).view({-1, 1, 1}) * kept).argmax(0);
  std::map<int64_t, int> stuff;
  int last = 0;
  for (int64_t k = 0; k < which.numel(); ++k) {
    const int64_t label = labels[which[k].item<int64_t>()].item<int64_t>();
    const at::Tensor mine = owner.eq(k);
    const at::Tensor whole = kept[k].ge(0.5);
    const at::Tensor region = mine.logical_and(whole);
    const double area = mine.sum().item<double>();
    const double original = whole.sum().item<double>();
    if (area == 0 || original == 0 || region.sum().item<double>() == 0) {
      continue;
    }
    if (area / original < options.overlap_threshold) continue;
    const bool known = !options.is_thing[label] && stuff.count(label) > 0;
    const int id = known ? stuff[label] : ++last;
    if (!options.is_thing[label]) stuff[label] = id;
    ids.masked_fill_(region, id);
  }
  return ids;
}

void Segments(benchmark::State& state) {
  const ImageSize image = {kOutput.height / state.range(0),
                           kOutput.width / state.range(0)};
  const MaskPrediction prediction = ConfidentPrediction(image);
  const PanopticOptions options = Options();
  PanopticPrediction ours;
  at::Tensor theirs;
  CompareRuns(
      state, 1,
      [&] {
        ours = PanopticInference(prediction, 0, image, image, kOutput, options);
      },
      [&] { theirs = PublishedIds(prediction, image, options); });
  // Two queries are of class 0, stuff.
  CHECK(ours.segments.size() == 19) << ours.segments.size();
  // Of 2 million pixels a few may be on the edge.
  const int64_t different = ours.ids.ne(theirs).sum().item<int64_t>();
  CHECK(different <= 20) << different << " pixels differ";
}
BENCHMARK(Segments)
    ->ArgName("smaller_by")
    ->Arg(1)
    ->Arg(2)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
