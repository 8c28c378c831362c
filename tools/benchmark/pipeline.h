#ifndef MASK2FORMER_TOOLS_BENCHMARK_PIPELINE_H_
#define MASK2FORMER_TOOLS_BENCHMARK_PIPELINE_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/common/autocast.h"
#include "mask2former/common/mask_prediction.h"
#include "mask2former/configs/experiment.pb.h"
#include "mask2former/eval/network_classes.h"
#include "mask2former/model/instance_inference.h"

namespace mask2former {

class Segmentor;
struct PreparedImages;

// From a file to the results of the tasks that the experiment switches on, in
// this order: a label for each pixel (semantic), segments (panoptic),
// instances.
inline constexpr const char* kStages[] = {
    "decode",   "resize",        "copy",
    "backbone", "pixel_decoder", "transformer_decoder",
    "labels",   "segments",      "instances"};

// What one stage of one run took.
struct StageTime {
  std::string name;
  double wall_ms = 0;
  double cpu_ms = 0;  // Of all threads.
  int64_t flops = 0;  // 0 unless they were counted.
};

struct PipelineOptions {
  ImageSize size = {512, 1024};  // What the model is given.
  int64_t batch = 1;
  c10::Device device = c10::Device(c10::kCPU);
  Precision precision = Precision::kFloat32;  // Others are autocast.
  // The picture file to decode. Empty: decode and resize are left out and the
  // model is given `image`.
  std::string picture;
  // [3, H, W] uint8 of `size`; undefined: random pixels.
  at::Tensor image;
  // A weight file as LoadWeights() takes it; empty: random weights.
  std::string weights;
};

// The model of an experiment. Speed does not depend on the values of its
// weights but in "segments": random queries are never sure of themselves, so
// that this is the time of a picture without any.
class Pipeline {
 public:
  // Returns InvalidArgument if sizes are not positive or `image` has another,
  // or as BuildSegmentor(), LoadWeights(), CityscapesNetworkClasses() and
  // ReadImageAsRgb().
  static absl::StatusOr<Pipeline> Create(const Experiment& experiment,
                                         const PipelineOptions& options);

  // Runs it once. On a GPU each stage ends when the GPU has done it.
  //
  //   count_flops  fills StageTime::flops; times are then of no use
  std::vector<StageTime> RunOnce(bool count_flops);

  // What the decoder says of the image that the model is given.
  MaskPrediction Predict();

  // Of the labels of the last run: [H, W] uint8 of the first image.
  const at::Tensor& labels() const { return labels_; }
  // The instances of the last run in the first image.
  const std::vector<InstancePrediction>& instances() const {
    return instances_;
  }

 private:
  Pipeline() = default;

  MaskPrediction Decode(const at::Tensor& images, class StageClock& clock);
  void InferResults(const MaskPrediction& prediction,
                    const PreparedImages& prepared, class StageClock& clock);

  PipelineOptions options_;
  InferenceConfig inference_;
  std::shared_ptr<Segmentor> segmentor_;
  at::Tensor image_;  // [3, H, W] uint8
  NetworkClasses classes_;
  at::Tensor labels_;
  std::vector<InstancePrediction> instances_;
};

// GFLOP/s of a product of two square matrices of `precision` on `device`, the
// best of several sizes: what shares of the limit are shares of. In floats on a
// GPU it is computed by FastestArithmetic(): in TF32 if anything may be. Takes
// seconds at most, also where the processor lacks the arithmetic.
double MeasureProductRate(c10::Device device, Precision precision);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_BENCHMARK_PIPELINE_H_
