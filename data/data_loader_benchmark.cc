// Full-size Cityscapes frames, 1024 x 2048, to training crops of 512 x 1024.
// Items are pictures.

#include <benchmark/benchmark.h>

#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>

#include "mask2former/common/testing/benchmark_size.h"
#include "mask2former/data/data_loader.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/png_chunks.h"
#include "mask2former/data/semantic_mapper.h"
#include "mask2former/data/testing/patterns.h"

namespace mask2former {
namespace {

const int kHeight = static_cast<int>(BenchmarkSize(1024, 128));
const int kWidth = 2 * kHeight;

// As large a file as a photograph of Cityscapes, 2.3 MB: smooth shapes and the
// noise of a camera.
cv::Mat Photograph() {
  cv::Mat coarse = NoisePattern(kHeight / 64, kWidth / 64, 3);
  cv::Mat image;
  cv::resize(coarse, image, cv::Size(kWidth, kHeight), 0, 0, cv::INTER_CUBIC);
  cv::Mat noise(kHeight, kWidth, CV_8UC3);
  cv::RNG generator(1);
  generator.fill(noise, cv::RNG::NORMAL, cv::Scalar::all(2.5),
                 cv::Scalar::all(1.0));
  image += noise;
  return image;
}

const std::string& ImageBytes() {
  static const auto& bytes = *new std::string(EncodePng(Photograph()).value());
  return bytes;
}

const std::string& LabelBytes() {
  static const auto& bytes =
      *new std::string(EncodePng(LabelPattern(kHeight, kWidth)).value());
  return bytes;
}

// Files that are in memory already: the disk is not measured.
class MemoryDataset : public Dataset {
 public:
  int64_t size() const override { return 64; }
  int64_t num_classes() const override { return 19; }
  absl::StatusOr<Sample> Load(int64_t index) const override {
    Sample sample;
    sample.image = DecodePng(ImageBytes(), PngFormat::kRgb8, "image").value();
    sample.label = DecodePng(LabelBytes(), PngFormat::kGray8, "label").value();
    sample.name = "memory";
    return sample;
  }
};

std::unique_ptr<SemanticMapper> Mapper(int size = 0) {
  InputConfig config;
  if (size > 0) config.add_min_size_train(size);
  return SemanticMapper::Create(config, 19).value();
}

void BM_CheckPngChunks(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(CheckPngChunks(ImageBytes()).ok());
  }
  state.counters["MB"] = static_cast<double>(ImageBytes().size()) * 1e-6;
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_CheckPngChunks)->Unit(benchmark::kMillisecond);

void BM_DecodeImage(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        DecodePng(ImageBytes(), PngFormat::kRgb8, "image").value().data);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_DecodeImage)->Unit(benchmark::kMillisecond);

void BM_DecodeLabel(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        DecodePng(LabelBytes(), PngFormat::kGray8, "label").value().data);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_DecodeLabel)->Unit(benchmark::kMillisecond);

// Everything after decoding; the argument is the shorter edge, 0 all official
// ones in turn.
void BM_Map(benchmark::State& state) {
  const auto mapper = Mapper(static_cast<int>(state.range(0)));
  const Sample sample = MemoryDataset().Load(0).value();
  int64_t index = 0;
  for (auto _ : state) {
    SampleRandom random(0, index++);
    benchmark::DoNotOptimize(mapper->Map(sample, random).value());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Map)->Arg(0)->Arg(512)->Arg(1024)->Arg(2048)->Unit(
    benchmark::kMillisecond);

// Decoding and mapping with this many threads, in real time.
void BM_Loader(benchmark::State& state) {
  DataLoaderOptions options;
  options.batch_size = 2;
  options.num_workers = state.range(0);
  const auto loader =
      DataLoader::Create(std::make_shared<MemoryDataset>(), Mapper(), options)
          .value();
  benchmark::DoNotOptimize(loader->Next().value());
  for (auto _ : state) benchmark::DoNotOptimize(loader->Next().value());
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(BM_Loader)->Arg(1)->Arg(2)->UseRealTime()->Unit(
    benchmark::kMillisecond);

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
