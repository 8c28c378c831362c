// Times the forward pass on random weights and a random picture, stage by
// stage, for comparison with other implementations (forward.py).
//
// Reads lines from standard input; after each, runs once and prints the
// milliseconds as one JSON object. So a script can take turns between programs,
// which is the only fair way on a machine that others use, too.

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/rand.h>
#include <gflags/gflags.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "mask2former/common/mask_prediction.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/program.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/semantic_labels.h"

DEFINE_string(config,
              "configs/cityscapes/semantic-segmentation/"
              "maskformer2_R50_bs16_90k.textproto",
              "The experiment whose model is timed.");
DEFINE_int32(height, 512, "Of the picture, in pixels.");
DEFINE_int32(width, 1024, "Of the picture, in pixels.");
DEFINE_int32(threads, 2, "CPU threads.");

namespace mask2former {
namespace {

constexpr char kUsage[] =
    R"(Times the forward pass on random weights: a line in, a run, a line out.

  yes | head -5 | bazel-bin/tools/peers/forward --height=512 --width=1024)";

// Wall and CPU time (of all threads) of one stage after the other.
class Stages {
 public:
  // Ends the stage that began at the last call.
  void End(const char* name) {
    const auto now = std::chrono::steady_clock::now();
    const std::clock_t cpu_now = std::clock();
    rows_.push_back(
        {name, std::chrono::duration<double, std::milli>(now - wall_).count(),
         1e3 * static_cast<double>(cpu_now - cpu_) / CLOCKS_PER_SEC});
    wall_ = now;
    cpu_ = cpu_now;
  }

  // The last stage is the labelling.
  std::string ToJson() const {
    double wall = 0, cpu = 0;
    std::vector<std::string> walls, cpus;
    for (const Row& row : rows_) {
      wall += row.wall_ms;
      cpu += row.cpu_ms;
      walls.push_back(absl::StrFormat("\"%s\": %.3f", row.name, row.wall_ms));
      cpus.push_back(absl::StrFormat("\"%s\": %.3f", row.name, row.cpu_ms));
    }
    return absl::StrFormat(
        "{\"forward_ms\": %.3f, \"labels_ms\": %.3f, \"cpu_ms\": %.3f, "
        "\"stages_ms\": {%s}, \"stages_cpu_ms\": {%s}}",
        wall - rows_.back().wall_ms, rows_.back().wall_ms, cpu,
        absl::StrJoin(walls, ", "), absl::StrJoin(cpus, ", "));
  }

 private:
  struct Row {
    const char* name;
    double wall_ms;
    double cpu_ms;
  };

  std::vector<Row> rows_;
  std::chrono::steady_clock::time_point wall_ =
      std::chrono::steady_clock::now();
  std::clock_t cpu_ = std::clock();
};

// One run: picture to labels.
std::string TimeOnce(Segmentor& segmentor, const InferenceConfig& inference,
                     const at::Tensor& image) {
  const at::NoGradGuard no_grad;
  Stages stages;
  const PreparedImages prepared = segmentor.Prepare({image});
  stages.End("prepare");
  const FeaturePyramid pyramid = segmentor.backbone()->forward(prepared.images);
  stages.End("backbone");
  const PixelDecoderOutput pixels = segmentor.pixel_decoder()->forward(pyramid);
  stages.End("pixel_decoder");
  TransformerDecoder& decoder = *segmentor.transformer_decoder();
  const MaskPrediction prediction =
      inference.shrink_mask_features()
          ? decoder.PredictFinal(pixels.levels, pixels.mask_features)
          : decoder.forward(pixels.levels, pixels.mask_features).back();
  stages.End("transformer_decoder");
  const ImageSize padded = {prepared.images.size(2), prepared.images.size(3)};
  SemanticLabels(prediction, /*index=*/0, padded, prepared.sizes[0],
                 prepared.sizes[0], inference.resize_before_scores());
  stages.End("labels");
  return stages.ToJson();
}

absl::Status Run(const CommandLine& line) {
  M2F_ASSIGN_OR_RETURN(
      const Experiment experiment,
      ReadExperiment(ResolveUserPath(FLAGS_config), line.overrides));
  if (FLAGS_height < 1 || FLAGS_width < 1 || FLAGS_threads < 1) {
    return absl::InvalidArgumentError(
        "--height, --width and --threads must be positive");
  }
  at::set_num_threads(FLAGS_threads);
  M2F_ASSIGN_OR_RETURN(const std::shared_ptr<Segmentor> segmentor,
                       BuildSegmentor(experiment.model()));
  segmentor->eval();
  const at::Tensor image =
      at::rand({3, FLAGS_height, FLAGS_width}).mul(255).to(at::kByte);
  for (std::string request; std::getline(std::cin, request);) {
    std::cout << TimeOnce(*segmentor, experiment.model().inference(), image)
              << std::endl;
  }
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
