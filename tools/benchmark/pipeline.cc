#include "mask2former/tools/benchmark/pipeline.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <opencv2/core/mat.hpp>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/checkpoint.h"
#include "mask2former/model/inference_settings.h"
#include "mask2former/model/panoptic_inference.h"
#include "mask2former/model/segmentor.h"
#include "mask2former/model/semantic_labels.h"
#include "mask2former/tools/benchmark/tf32.h"
#include "mask2former/tools/counters/flop_counter.h"

namespace mask2former {
namespace {

using Clock = std::chrono::steady_clock;

double Milliseconds(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin)
      .count();
}

// Waits until a GPU has done what it was given.
void Synchronize(c10::Device device) {
  if (device.is_cpu()) return;
  const c10::impl::VirtualGuardImpl guard(device.type());
  guard.synchronizeDevice(guard.getDevice().index());
}

}  // namespace

// Wall time, CPU time and operations of one stage after the other.
class StageClock {
 public:
  StageClock(c10::Device device, bool count_flops) : device_(device) {
    if (count_flops) counter_.emplace();
    Synchronize(device_);
    wall_ = Clock::now();
    cpu_ = std::clock();
  }

  // Ends the stage that began at the last call.
  void End(const char* name) {
    Synchronize(device_);
    const std::clock_t cpu = std::clock();
    const int64_t flops = counter_.has_value() ? counter_->count() : 0;
    times_.push_back({name, Milliseconds(wall_),
                      1e3 * static_cast<double>(cpu - cpu_) / CLOCKS_PER_SEC,
                      flops - flops_});
    flops_ = flops;
    wall_ = Clock::now();
    cpu_ = cpu;
  }

  std::vector<StageTime> times() && { return std::move(times_); }

 private:
  const c10::Device device_;
  std::optional<FlopCounter> counter_;
  std::vector<StageTime> times_;
  Clock::time_point wall_;
  std::clock_t cpu_ = 0;
  int64_t flops_ = 0;
};

absl::StatusOr<Pipeline> Pipeline::Create(const Experiment& experiment,
                                          const PipelineOptions& options) {
  if (options.size.height < 1 || options.size.width < 1 || options.batch < 1) {
    return absl::InvalidArgumentError(
        "height, width and batch must be positive");
  }
  const int64_t wanted[] = {3, options.size.height, options.size.width};
  if (options.image.defined() &&
      !(options.image.sizes() == at::IntArrayRef(wanted))) {
    return absl::InvalidArgumentError(
        absl::StrCat("the picture must have ", options.size.height, " x ",
                     options.size.width, " pixels"));
  }
  Pipeline pipeline;
  pipeline.options_ = options;
  pipeline.inference_ = experiment.model().inference();
  if (pipeline.inference_.panoptic_on() || pipeline.inference_.instance_on()) {
    M2F_ASSIGN_OR_RETURN(
        pipeline.classes_,
        CityscapesNetworkClasses(experiment.model().num_classes()));
  }
  M2F_ASSIGN_OR_RETURN(pipeline.segmentor_, BuildSegmentor(experiment.model()));
  if (!options.weights.empty()) {
    M2F_RETURN_IF_ERROR(
        LoadWeights(options.weights, /*strict=*/true, *pipeline.segmentor_)
            .status());
  }
  pipeline.segmentor_->to(options.device);
  pipeline.segmentor_->eval();
  pipeline.image_ = options.image.defined()
                        ? options.image
                        : at::rand(wanted).mul(255).to(at::kByte);
  if (!options.picture.empty()) {
    M2F_RETURN_IF_ERROR(ReadImageAsRgb(options.picture).status());
  }
  return pipeline;
}

std::vector<StageTime> Pipeline::RunOnce(bool count_flops) {
  const at::NoGradGuard no_grad;
  StageClock clock(options_.device, count_flops);
  std::vector<at::Tensor> images(options_.batch, image_);
  if (!options_.picture.empty()) {
    std::vector<cv::Mat> pictures;
    for (int64_t i = 0; i < options_.batch; ++i) {
      absl::StatusOr<cv::Mat> picture = ReadImageAsRgb(options_.picture);
      CHECK(picture.ok()) << picture.status();  // Create() could read it.
      pictures.push_back(*std::move(picture));
    }
    clock.End("decode");
    const auto [shorter, longer] =
        std::minmax(options_.size.height, options_.size.width);
    for (int64_t i = 0; i < options_.batch; ++i) {
      images[i] = MakeTestImage(pictures[i], shorter, longer);
    }
    clock.End("resize");
  }
  const PreparedImages prepared = segmentor_->Prepare(images);
  clock.End("copy");
  InferResults(Decode(prepared.images, clock), prepared, clock);
  return std::move(clock).times();
}

MaskPrediction Pipeline::Predict() {
  const at::NoGradGuard no_grad;
  StageClock clock(options_.device, /*count_flops=*/false);
  return Decode(segmentor_->Prepare({image_}).images, clock);
}

void Pipeline::InferResults(const MaskPrediction& prediction,
                            const PreparedImages& prepared, StageClock& clock) {
  const ImageSize padded = {prepared.images.size(2), prepared.images.size(3)};
  const std::vector<ImageSize>& sizes = prepared.sizes;
  if (inference_.semantic_on()) {
    for (int64_t i = options_.batch - 1; i >= 0; --i) {
      labels_ = SemanticLabels(prediction, i, padded, sizes[i], sizes[i],
                               ResizesBeforeScores(inference_));
    }
    clock.End("labels");
  }
  if (inference_.panoptic_on()) {
    PanopticOptions options;
    options.object_mask_threshold = inference_.object_mask_threshold();
    options.overlap_threshold = inference_.overlap_threshold();
    options.is_thing = classes_.is_thing;
    for (int64_t i = 0; i < options_.batch; ++i) {
      PanopticInference(prediction, i, padded, sizes[i], sizes[i], options);
    }
    clock.End("segments");
  }
  if (inference_.instance_on()) {
    InstanceOptions options;
    options.top_k = inference_.top_k();
    options.is_thing = classes_.is_thing;
    for (int64_t i = options_.batch - 1; i >= 0; --i) {
      instances_ =
          InstanceInference(prediction, i, padded, sizes[i], sizes[i], options);
    }
    clock.End("instances");
  }
}

MaskPrediction Pipeline::Decode(const at::Tensor& images, StageClock& clock) {
  const AutocastGuard autocast(options_.device.type(), options_.precision);
  const FeaturePyramid pyramid = segmentor_->backbone()->forward(images);
  clock.End("backbone");
  const PixelDecoderOutput pixels =
      segmentor_->pixel_decoder()->forward(pyramid);
  clock.End("pixel_decoder");
  TransformerDecoder& decoder = *segmentor_->transformer_decoder();
  MaskPrediction prediction =
      inference_.shrink_mask_features()
          ? decoder.PredictFinal(pixels.levels, pixels.mask_features)
          : decoder.forward(pixels.levels, pixels.mask_features).back();
  prediction.class_logits = prediction.class_logits.to(at::kFloat);
  prediction.mask_logits = prediction.mask_logits.to(at::kFloat);
  clock.End("transformer_decoder");
  return prediction;
}

double MeasureProductRate(c10::Device device, Precision precision) {
  const at::NoGradGuard no_grad;
  const FastestProductsGuard fastest(device, precision);
  const at::TensorOptions where =
      at::TensorOptions().device(device).dtype(ScalarTypeOf(precision));
  const int64_t largest = device.is_cpu() ? 2048 : 8192;
  constexpr double kLongestMs = 400;
  double best = 0;
  for (int64_t n = 256; n <= largest; n *= 2) {
    const at::Tensor a = at::rand({n, n}, where), b = at::rand({n, n}, where);
    at::Tensor product = at::mm(a, b);
    double best_ms = 0;
    for (int i = 0; i < 8; ++i) {
      Synchronize(device);
      const Clock::time_point begin = Clock::now();
      at::mm_out(product, a, b);
      Synchronize(device);
      const double ms = Milliseconds(begin);
      if (i == 0 || ms < best_ms) best_ms = ms;
    }
    best = std::max(best, 2e-6 * static_cast<double>(n) * n * n / best_ms);
    // In arithmetic that a processor lacks, large ones take minutes.
    if (8 * best_ms > kLongestMs) break;
  }
  return best;
}

}  // namespace mask2former
