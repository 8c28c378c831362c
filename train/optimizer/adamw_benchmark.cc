// One optimizer step for the weights of the R50 model: its 451 tensors, each
// with a tenth of its elements, 4.4 million in all. The time grows with them.

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "mask2former/train/optimizer/adamw.h"
#include "mask2former/train/optimizer/clip_gradients.h"

namespace mask2former {
namespace {

// Tensors and elements of each group, in place of the model.
std::vector<ParameterGroup> ResNet50Groups() {
  constexpr int64_t kPart = 10;
  const struct {
    double lr, weight_decay;
    int tensors;
    int64_t elements;
  } kRows[] = {{1e-5, 0.05, 53, 23454912},
               {1e-5, 0, 106, 53120},
               {1e-4, 0.05, 199, 20424660},
               {1e-4, 0, 93, 75008}};
  std::vector<ParameterGroup> groups;
  for (const auto& row : kRows) {
    ParameterGroup group = {row.lr, row.weight_decay, {}, {}};
    for (int i = 0; i < row.tensors; ++i) {
      group.names.push_back(std::to_string(i));
      group.parameters.push_back(at::ones({row.elements / row.tensors / kPart})
                                     .set_requires_grad(true));
      group.parameters.back().mutable_grad() =
          at::full({row.elements / row.tensors / kPart}, 1e-3);
    }
    groups.push_back(group);
  }
  return groups;
}

// Made once, with the state that the first step allocates.
Adamw& ResNet50() {
  static Adamw& adamw = []() -> Adamw& {
    auto* made = new Adamw(ResNet50Groups(), {});
    made->Step(1);
    return *made;
  }();
  return adamw;
}

int64_t NumElements() {
  int64_t count = 0;
  for (const ParameterGroup& group : ResNet50().groups()) {
    count += group.NumElements();
  }
  return count;
}

void BM_ClipGradients(benchmark::State& state) {
  Adamw& adamw = ResNet50();
  const std::vector<at::Tensor> gradients = adamw.Gradients();
  for (auto _ : state) {
    benchmark::DoNotOptimize(ClipGradients(gradients, 0.01).item<float>());
  }
  state.SetItemsProcessed(state.iterations() * NumElements());
}
BENCHMARK(BM_ClipGradients)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_AdamwStep(benchmark::State& state) {
  Adamw& adamw = ResNet50();
  for (auto _ : state) adamw.Step(1);
  state.SetItemsProcessed(state.iterations() * NumElements());
}
BENCHMARK(BM_AdamwStep)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
