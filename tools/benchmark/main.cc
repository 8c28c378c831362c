// Times the way from a picture file to its results, stage by stage.

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <gflags/gflags.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <map>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/program.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/tools/benchmark/pipeline.h"
#include "mask2former/tools/benchmark/report.h"
#include "mask2former/tools/benchmark/tf32.h"
#include "mask2former/train/logging/memory_usage.h"

DEFINE_string(config,
              "configs/cityscapes/semantic-segmentation/"
              "maskformer2_R50_bs16_90k.textproto",
              "The experiment whose model is timed.");
DEFINE_string(size, "512x1024", "Height x width that the model is given.");
DEFINE_string(picture, "",
              "File to decode and resize to --size; by default a PNG of 1024 x "
              "2048 that is drawn. With --serve: of --size, decoded once; by "
              "default random pixels.");
DEFINE_string(weights, "", "Weight file; by default random weights.");
DEFINE_string(device, "auto", "cpu, cuda, or auto: cuda where there is one.");
DEFINE_string(precision, "fp32", "fp32, or autocast to fp16 or bf16.");
DEFINE_string(tf32, "convolutions",
              "What a GPU may compute in TF32 where the precision is fp32: "
              "none, convolutions (as LibTorch does unless told otherwise, and "
              "so the other programs), or all.");
DEFINE_string(
    stages, "",
    "Show only these, a list out of decode, resize, copy, backbone, "
    "pixel_decoder, transformer_decoder, labels, segments, instances. "
    "Decode and resize are not run if they are not shown.");
DEFINE_int32(batch, 1, "Images at a time.");
DEFINE_int32(rounds, 10, "Timed runs, after two that warm up.");
DEFINE_int32(threads, 0, "CPU threads; 0: one per core.");
DEFINE_bool(json, false, "Print JSON instead of a table.");
DEFINE_bool(serve, false,
            "For tools/peers: read lines from standard input; after each, run "
            "once and print the times as a line of JSON. A line that is not "
            "empty names a file for what the run gave: safetensors with "
            "pred_logits, pred_masks and, if there are any, labels.");

namespace mask2former {
namespace {

constexpr char kUsage[] =
    R"(Times the way from a picture file to its results, stage by stage.

  bazel build //tools/benchmark && bazel-bin/tools/benchmark/benchmark --size=1024x2048

Prints quantiles of wall time, CPU time, floating-point operations and their
share of the limit, which is the rate of a large square matrix product of the
same precision, measured in the same run; in fp32 on a GPU a product in TF32,
unless --tf32=none. Peak memory is the process's on a CPU,
the allocator's on a GPU.

If cores are busy with less than 85 % of the time, something else had them.)";

absl::StatusOr<ImageSize> ParseSize(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, 'x');
  ImageSize size;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &size.height) ||
      !absl::SimpleAtoi(parts[1], &size.width)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--size must be HEIGHTxWIDTH, such as 512x1024, not '", text, "'"));
  }
  return size;
}

absl::StatusOr<at::Device> ParseDevice(const std::string& text) {
  const bool has_cuda = at::globalContext().hasCUDA();
  if (text == "cpu" || (text == "auto" && !has_cuda)) {
    return at::Device(at::kCPU);
  }
  if (text != "cuda" && text != "auto") {
    return absl::InvalidArgumentError(
        absl::StrCat("--device must be cpu, cuda or auto, not '", text, "'"));
  }
  if (!has_cuda) {
    return absl::FailedPreconditionError(
        "there is no GPU that this build can use; //tools/doctor says why");
  }
  return at::Device(at::kCUDA, 0);
}

absl::StatusOr<Precision> ParsePrecision(const std::string& text) {
  if (text == "fp32") return Precision::kFloat32;
  if (text == "fp16") return Precision::kFloat16;
  if (text == "bf16") return Precision::kBFloat16;
  return absl::InvalidArgumentError(
      absl::StrCat("--precision must be fp32, fp16 or bf16, not '", text, "'"));
}

absl::StatusOr<std::set<std::string>> ParseStages(const std::string& text) {
  if (text.empty())
    return std::set<std::string>(std::begin(kStages), std::end(kStages));
  std::set<std::string> stages;
  for (const std::string& name :
       std::vector<std::string>(absl::StrSplit(text, ','))) {
    if (std::find(std::begin(kStages), std::end(kStages), name) ==
        std::end(kStages)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--stages: there is no '", name, "'; there are ",
                       absl::StrJoin(kStages, ", ")));
    }
    stages.insert(name);
  }
  return stages;
}

// A PNG of the size of Cityscapes' frames that compresses about as they do,
// removed when it goes out of scope.
class DrawnPicture {
 public:
  absl::Status Write() {
    const char* const folder = std::getenv("TMPDIR");
    path_ = absl::StrCat(folder == nullptr ? "/tmp" : folder, "/m2f_benchmark_",
                         getpid(), ".png");
    cv::Mat small(128, 256, CV_8UC3), picture, noise(1024, 2048, CV_8UC3);
    cv::RNG random(1);
    random.fill(small, cv::RNG::UNIFORM, 0, 256);
    random.fill(noise, cv::RNG::UNIFORM, 0, 8);
    cv::resize(small, picture, {2048, 1024}, 0, 0, cv::INTER_CUBIC);
    return WritePngAtomically(path_, picture + noise);
  }
  ~DrawnPicture() {
    if (!path_.empty()) std::remove(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<StageTime> Only(const std::set<std::string>& names,
                            std::vector<StageTime> times) {
  times.erase(std::remove_if(times.begin(), times.end(),
                             [&](const StageTime& time) {
                               return names.count(time.name) == 0;
                             }),
              times.end());
  return times;
}

// Runs as often as standard input has lines.
absl::Status Serve(PipelineOptions options, const Experiment& experiment) {
  if (!FLAGS_picture.empty()) {
    M2F_ASSIGN_OR_RETURN(const cv::Mat picture,
                         ReadImageAsRgb(ResolveUserPath(FLAGS_picture)));
    options.image = ImageToTensor(picture);
  }
  M2F_ASSIGN_OR_RETURN(Pipeline pipeline,
                       Pipeline::Create(experiment, options));
  for (std::string path; std::getline(std::cin, path);) {
    const std::vector<StageTime> times =
        pipeline.RunOnce(/*count_flops=*/false);
    if (!path.empty()) {
      const MaskPrediction prediction = pipeline.Predict();
      std::map<std::string, at::Tensor> tensors = {
          {"pred_logits", prediction.class_logits[0]},
          {"pred_masks", prediction.mask_logits[0]}};
      if (pipeline.labels().defined()) tensors["labels"] = pipeline.labels();
      M2F_RETURN_IF_ERROR(WriteSafetensors(path, tensors));
    }
    std::cout << RunLine(times) << std::endl;
  }
  return absl::OkStatus();
}

absl::Status Run(const CommandLine& line) {
  M2F_ASSIGN_OR_RETURN(
      const Experiment experiment,
      ReadExperiment(ResolveUserPath(FLAGS_config), line.overrides));
  PipelineOptions options;
  M2F_ASSIGN_OR_RETURN(options.size, ParseSize(FLAGS_size));
  M2F_ASSIGN_OR_RETURN(options.device, ParseDevice(FLAGS_device));
  M2F_ASSIGN_OR_RETURN(options.precision, ParsePrecision(FLAGS_precision));
  M2F_ASSIGN_OR_RETURN(const std::set<std::string> stages,
                       ParseStages(FLAGS_stages));
  if (FLAGS_rounds < 1) {
    return absl::InvalidArgumentError("--rounds must be positive");
  }
  M2F_ASSIGN_OR_RETURN(const Tf32 tf32, ParseTf32(FLAGS_tf32));
  if (options.device.is_cuda()) AllowTf32(tf32);
  if (FLAGS_threads > 0) at::set_num_threads(FLAGS_threads);
  options.batch = FLAGS_batch;
  if (!FLAGS_weights.empty()) options.weights = ResolveUserPath(FLAGS_weights);
  if (FLAGS_serve) return Serve(std::move(options), experiment);
  DrawnPicture drawn;
  if (stages.count("decode") + stages.count("resize") > 0) {
    options.picture = ResolveUserPath(FLAGS_picture);
    if (options.picture.empty()) {
      M2F_RETURN_IF_ERROR(drawn.Write());
      options.picture = drawn.path();
    }
  }
  M2F_ASSIGN_OR_RETURN(Pipeline pipeline,
                       Pipeline::Create(experiment, options));

  BenchmarkReport report;
  report.config = FLAGS_config;
  report.device = options.device.str();
  report.precision = FLAGS_precision;
  report.tf32 = options.device.is_cuda() ? FLAGS_tf32 : "none";
  report.height = options.size.height;
  report.width = options.size.width;
  report.batch = options.batch;
  report.threads = at::get_num_threads();
  report.rounds = FLAGS_rounds;
  const std::vector<StageTime> counts =
      Only(stages, pipeline.RunOnce(/*count_flops=*/true));
  pipeline.RunOnce(/*count_flops=*/false);
  std::vector<std::vector<StageTime>> runs;
  for (int i = 0; i < FLAGS_rounds; ++i) {
    runs.push_back(Only(stages, pipeline.RunOnce(/*count_flops=*/false)));
  }
  report.peak_memory_bytes = PeakMemory(options.device);
  report.limit_arithmetic =
      FastestArithmetic(options.device, options.precision);
  report.limit = MeasureProductRate(options.device, options.precision);
  Summarize(runs, counts, report);
  std::cout << (FLAGS_json ? JsonReport(report) : TextReport(report))
            << std::flush;
  return absl::OkStatus();
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  mask2former::ProgramInfo program = {mask2former::kUsage, __FILE__};
  // For measuring what it brings.
  program.keep_freed_memory = std::getenv("M2F_RETURN_FREED_MEMORY") == nullptr;
  return mask2former::RunProgram(program, argc, argv, mask2former::Run);
}
