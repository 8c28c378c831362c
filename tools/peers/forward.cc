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

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
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

class Stopwatch {
 public:
  // Milliseconds since the last call.
  double Lap() {
    const auto now = std::chrono::steady_clock::now();
    const double ms =
        std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
    return ms;
  }

 private:
  std::chrono::steady_clock::time_point last_ =
      std::chrono::steady_clock::now();
};

// One run: picture to labels.
std::string TimeOnce(Segmentor& segmentor, const InferenceConfig& inference,
                     const at::Tensor& image) {
  const at::NoGradGuard no_grad;
  const ImageSize size = {image.size(1), image.size(2)};
  const std::clock_t cpu_start = std::clock();
  Stopwatch watch;
  const PreparedImages prepared = segmentor.Prepare({image});
  const double prepare = watch.Lap();
  const FeaturePyramid pyramid = segmentor.backbone()->forward(prepared.images);
  const double backbone = watch.Lap();
  const PixelDecoderOutput pixels = segmentor.pixel_decoder()->forward(pyramid);
  const double pixel_decoder = watch.Lap();
  const MaskPrediction prediction =
      inference.shrink_mask_features()
          ? segmentor.transformer_decoder()->PredictFinal(pixels.levels,
                                                          pixels.mask_features)
          : segmentor.transformer_decoder()
                ->forward(pixels.levels, pixels.mask_features)
                .back();
  const double transformer_decoder = watch.Lap();
  const ImageSize padded = {prepared.images.size(2), prepared.images.size(3)};
  const at::Tensor labels =
      SemanticLabels(prediction, 0, padded, prepared.sizes[0], size,
                     inference.resize_before_scores());
  const double labelling = watch.Lap();
  const double forward =
      prepare + backbone + pixel_decoder + transformer_decoder;
  const double cpu_ms =
      1e3 * static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  return absl::StrFormat(
      "{\"forward_ms\": %.3f, \"labels_ms\": %.3f, \"busy\": %.3f, "
      "\"stages_ms\": {\"prepare\": %.3f, \"backbone\": %.3f, "
      "\"pixel_decoder\": %.3f, \"transformer_decoder\": %.3f}}",
      forward, labelling,
      cpu_ms / ((forward + labelling) * at::get_num_threads()), prepare,
      backbone, pixel_decoder, transformer_decoder);
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
