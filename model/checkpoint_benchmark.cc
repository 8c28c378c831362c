// Loading weights against reading the file that they are in.
//
// M2F_BENCHMARK_LAYERS=23 makes it the size of Swin-L, 868 MB. The file lies in
// the page cache, so that copying counts and not the disk.

#include <ATen/ops/ones.h>
#include <benchmark/benchmark.h>
#include <torch/nn/module.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/logging.h"
#include "mask2former/model/checkpoint.h"
#include "mask2former/model/weights/write_torch_file.h"

namespace mask2former {
namespace {

// Matrices of the largest shape in Swin-L.
class Layers : public torch::nn::Module {
 public:
  Layers() {
    const char* const text = std::getenv("M2F_BENCHMARK_LAYERS");
    const int count = text == nullptr ? 1 : std::max(1, std::atoi(text));
    for (int i = 0; i < count; ++i) {
      register_parameter(absl::StrCat("layer", i), at::ones({6144, 1536}));
    }
  }

  int64_t bytes() const {
    return static_cast<int64_t>(parameters().size()) * 6144 * 1536 * 4;
  }
};

// A file with the weights of Layers, removed at the end.
class WrittenFile {
 public:
  explicit WrittenFile(bool torch_format)
      : path_(absl::StrCat("/tmp/checkpoint_benchmark_", getpid(),
                           torch_format ? ".pth" : ".safetensors")) {
    const Layers layers;
    CHECK((torch_format ? WriteTorchFile(path_, NamedState(layers), {})
                        : SaveWeights(path_, layers, {}))
              .ok());
  }
  ~WrittenFile() { std::remove(path_.c_str()); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Kilobytes that /proc/self/status gives for `field`.
int64_t Kilobytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.compare(0, field.size(), field) == 0) {
      return std::atoll(line.c_str() + field.size() + 1);
    }
  }
  return 0;
}

void BM_ReadFile(benchmark::State& state) {
  const WrittenFile file(/*torch_format=*/false);
  int64_t size = 0;
  for (auto _ : state) {
    const auto bytes = ReadFile(file.path());
    CHECK(bytes.ok());
    benchmark::DoNotOptimize(bytes->data());
    size += static_cast<int64_t>(bytes->size());
  }
  state.SetBytesProcessed(size);
}
BENCHMARK(BM_ReadFile)->Unit(benchmark::kMillisecond)->UseRealTime();

// range(0): 0 safetensors, 1 .pth.
void BM_LoadWeights(benchmark::State& state) {
  const WrittenFile file(state.range(0) == 1);
  Layers layers;
  // Forgets the peak until here.
  std::ofstream("/proc/self/clear_refs") << "5";
  const int64_t before = Kilobytes("VmRSS");
  for (auto _ : state) {
    CHECK(LoadWeights(file.path(), /*strict=*/true, layers).ok());
  }
  const int64_t more = (Kilobytes("VmHWM") - before) * 1024;
  state.SetBytesProcessed(state.iterations() * layers.bytes());
  // Beside the model's own memory, in parts of it.
  state.counters["memory"] =
      static_cast<double>(more) / static_cast<double>(layers.bytes());
}
BENCHMARK(BM_LoadWeights)
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
