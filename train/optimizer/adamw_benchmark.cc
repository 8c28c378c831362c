// One optimizer step for the weights of the R50 model: its 451 tensors, each
// with a tenth of its elements, 4.4 million in all. The time grows with them.
// Ours and LibTorch's C++ frontend in turns; what both make of the same
// gradients is compared first.
//
// The rows named Gpu need one: all 44 million elements.

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <torch/cuda.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adamw.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mask2former/common/logging.h"
#include "mask2former/common/testing/benchmark_device.h"
#include "mask2former/common/testing/compare_benchmark.h"
#include "mask2former/train/optimizer/adamw.h"
#include "mask2former/train/optimizer/clip_gradients.h"

namespace mask2former {
namespace {

constexpr double kMaxNorm = 0.01;

// Tensors and elements of each group, in place of the model.
std::vector<ParameterGroup> ResNet50Groups(int64_t part, at::Device device) {
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
    const int64_t size = row.elements / row.tensors / part;
    ParameterGroup group = {row.lr, row.weight_decay, {}, {}};
    for (int i = 0; i < row.tensors; ++i) {
      group.names.push_back(std::to_string(i));
      group.parameters.push_back(
          at::ones({size}, at::device(device)).set_requires_grad(true));
      group.parameters.back().mutable_grad() =
          at::full({size}, 1e-3, at::device(device));
    }
    groups.push_back(group);
  }
  return groups;
}

// The same parameters for LibTorch's optimizer.
std::unique_ptr<torch::optim::AdamW> LibTorchAdamw(
    const std::vector<ParameterGroup>& groups) {
  std::vector<torch::optim::OptimizerParamGroup> theirs;
  for (const ParameterGroup& group : groups) {
    theirs.emplace_back(group.parameters,
                        std::make_unique<torch::optim::AdamWOptions>(
                            torch::optim::AdamWOptions(group.lr).weight_decay(
                                group.weight_decay)));
  }
  return std::make_unique<torch::optim::AdamW>(std::move(theirs));
}

std::vector<at::Tensor> Parameters(const std::vector<ParameterGroup>& groups) {
  std::vector<at::Tensor> all;
  for (const ParameterGroup& group : groups) {
    all.insert(all.end(), group.parameters.begin(), group.parameters.end());
  }
  return all;
}

// Both sides have parameters, gradients and moments of their own.
struct Sides {
  Sides(int64_t part, at::Device device)
      : ours(ResNet50Groups(part, device), {}),
        their_groups(ResNet50Groups(part, device)),
        theirs(LibTorchAdamw(their_groups)),
        their_parameters(Parameters(their_groups)) {
    for (const at::Tensor& parameter : their_parameters) {
      elements += parameter.numel();
    }
    ClipOurs();
    ClipTheirs();
    StepOurs();
    StepTheirs();
    const std::vector<at::Tensor> our_parameters = Parameters(ours.groups());
    for (size_t i = 0; i < our_parameters.size(); ++i) {
      CHECK(at::allclose(our_parameters[i].grad(), their_parameters[i].grad(),
                         1e-4, 0));
      CHECK(at::allclose(our_parameters[i], their_parameters[i], 1e-6, 1e-8));
    }
  }

  void ClipOurs() { Finish(ClipGradients(ours.Gradients(), kMaxNorm)); }
  void ClipTheirs() {
    benchmark::DoNotOptimize(
        torch::nn::utils::clip_grad_norm_(their_parameters, kMaxNorm));
    Finish(their_parameters[0]);
  }
  void StepOurs() {
    ours.Step(1);
    Finish(their_parameters[0]);
  }
  void StepTheirs() {
    theirs->step();
    Finish(their_parameters[0]);
  }

  static void Finish(const at::Tensor& tensor) {
    if (tensor.is_cuda()) torch::cuda::synchronize();
  }

  Adamw ours;
  std::vector<ParameterGroup> their_groups;
  std::unique_ptr<torch::optim::AdamW> theirs;
  std::vector<at::Tensor> their_parameters;
  int64_t elements = 0;
};

void Clip(benchmark::State& state, int64_t part, at::DeviceType device) {
  if (!HasDevice(state, device)) return;
  Sides sides(part, device);
  CompareRuns(
      state, sides.elements, [&] { sides.ClipOurs(); },
      [&] { sides.ClipTheirs(); });
}

void Step(benchmark::State& state, int64_t part, at::DeviceType device) {
  if (!HasDevice(state, device)) return;
  Sides sides(part, device);
  CompareRuns(
      state, sides.elements, [&] { sides.StepOurs(); },
      [&] { sides.StepTheirs(); });
}

void Register(const std::string& suffix, int64_t part, at::DeviceType device) {
  for (const auto& [name, function] :
       {std::pair{"ClipGradients", Clip}, std::pair{"AdamwStep", Step}}) {
    benchmark::RegisterBenchmark((name + suffix).c_str(), function, part,
                                 device)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  mask2former::Register("", /*part=*/10, at::kCPU);
  mask2former::Register("Gpu", /*part=*/1, at::kCUDA);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
