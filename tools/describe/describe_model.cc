#include "mask2former/tools/describe/describe_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mask2former/common/image_batch.h"
#include "mask2former/common/random_points.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/matcher/build_matcher.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/inference_settings.h"
#include "mask2former/model/instance_inference.h"
#include "mask2former/model/panoptic_inference.h"
#include "mask2former/model/segmentor.h"
#include "mask2former/model/semantic_labels.h"
#include "mask2former/tools/counters/flop_counter.h"
#include "mask2former/tools/counters/memory_counter.h"
#include "mask2former/train/criterion/set_criterion.h"
#include "mask2former/train/optimizer/build_optimizer.h"
#include "mask2former/train/train_step.h"

namespace mask2former {
namespace {

constexpr char kBackbone[] = "backbone";
constexpr char kPixelDecoder[] = "pixel decoder";
constexpr char kTransformerDecoder[] = "transformer decoder";
constexpr char kLabels[] = "labels";
constexpr char kSegments[] = "panoptic segments";
constexpr char kInstances[] = "instances";

int64_t CountParameters(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const at::Tensor& parameter : module.parameters()) {
    count += parameter.numel();
  }
  return count;
}

int64_t WeightBytes(const torch::nn::Module& module) {
  int64_t bytes = 0;
  for (const at::Tensor& tensor : module.parameters()) bytes += tensor.nbytes();
  for (const at::Tensor& tensor : module.buffers()) bytes += tensor.nbytes();
  return bytes;
}

at::Tensor RandomImage(const ImageSize& size) {
  return at::randint(0, 256, {3, size.height, size.width}, at::kByte);
}

// Images of noise with rectangles for targets.
ImageBatch RandomBatch(const DescribeOptions& options, int64_t num_classes) {
  const ImageSize& size = options.training_size;
  ImageBatch batch;
  for (int64_t i = 0; i < options.batch; ++i) {
    MaskTarget target = {
        at::arange(options.num_targets).remainder(num_classes),
        at::zeros({options.num_targets, size.height, size.width}, at::kBool)};
    for (int64_t n = 0; n < options.num_targets; ++n) {
      const int64_t top = n * size.height / options.num_targets;
      target.masks[n]
          .slice(0, top, top + std::max<int64_t>(size.height / 4, 1))
          .slice(1, size.width / 4, size.width / 2 + 1)
          .fill_(true);
    }
    batch.images.push_back(RandomImage(size));
    batch.targets.push_back(target);
    batch.names.push_back(absl::StrCat("image", i));
  }
  return batch;
}

// Numbers of one piece after the other, in inference.
class InferenceMeter {
 public:
  void End(PieceDescription& piece) {
    piece.macs = (flops_.count() - flops_.sampling()) / 2 - macs_;
    piece.sampling_macs = flops_.sampling() / 2 - sampling_macs_;
    piece.activations = flops_.activations() - activations_;
    piece.inference_bytes = memory_.peak() - before_;
    peak_ = std::max(peak_, memory_.peak());
    macs_ += piece.macs;
    sampling_macs_ += piece.sampling_macs;
    activations_ += piece.activations;
    before_ = memory_.current();
    memory_.ResetPeak();
  }

  // Of all pieces together.
  int64_t peak() const { return peak_; }

 private:
  const FlopCounter flops_;
  MemoryCounter memory_;
  int64_t macs_ = 0, sampling_macs_ = 0, activations_ = 0, before_ = 0;
  int64_t peak_ = 0;
};

// Fills the inference fields.
void RunInference(Segmentor& segmentor, const InferenceConfig& config,
                  const DescribeOptions& options,
                  ModelDescription& description) {
  const at::NoGradGuard no_grad;
  segmentor.eval();
  const PreparedImages prepared = segmentor.Prepare(std::vector<at::Tensor>(
      options.batch, RandomImage(options.inference_size)));
  const ImageSize padded = {prepared.images.size(2), prepared.images.size(3)};

  {
    const MemoryCounter memory;
    segmentor.PredictFinal(segmentor.Prepare({RandomImage({32, 32})}).images,
                           config.shrink_mask_features());
    description.prepared_bytes = memory.current();
  }

  InferenceMeter meter;
  auto piece = description.pieces.begin();
  FeaturePyramid pyramid = segmentor.backbone()->forward(prepared.images);
  meter.End(*piece++);
  PixelDecoderOutput pixels = segmentor.pixel_decoder()->forward(pyramid);
  pyramid.clear();
  meter.End(*piece++);
  TransformerDecoder& decoder = *segmentor.transformer_decoder();
  const MaskPrediction prediction =
      config.shrink_mask_features()
          ? decoder.PredictFinal(pixels.levels, pixels.mask_features)
          : decoder.forward(pixels.levels, pixels.mask_features).back();
  pixels = {};
  meter.End(*piece++);
  const auto for_every_image = [&](const auto& function) {
    for (int64_t i = 0; i < options.batch; ++i) {
      function(i, prepared.sizes[i]);
    }
    meter.End(*piece++);
  };
  const std::vector<bool> all_things(prediction.class_logits.size(2) - 1, true);
  if (config.semantic_on()) {
    for_every_image([&](int64_t i, const ImageSize& size) {
      SemanticLabels(prediction, i, padded, size, size,
                     ResizesBeforeScores(config));
    });
  }
  if (config.panoptic_on()) {
    PanopticOptions panoptic;
    // Random weights are sure of nothing: so that every query counts.
    panoptic.object_mask_threshold = 0;
    panoptic.is_thing = all_things;
    for_every_image([&](int64_t i, const ImageSize& size) {
      PanopticInference(prediction, i, padded, size, size, panoptic);
    });
  }
  if (config.instance_on()) {
    InstanceOptions instance;
    instance.top_k = config.top_k();
    for_every_image([&](int64_t i, const ImageSize& size) {
      InstanceInference(prediction, i, padded, size, size, instance);
    });
  }
  description.total.inference_bytes = meter.peak();
}

// Fills kept_bytes.
void RunTrainingForward(Segmentor& segmentor, const DescribeOptions& options,
                        ModelDescription& description) {
  segmentor.train();
  const PreparedImages prepared = segmentor.Prepare(std::vector<at::Tensor>(
      options.batch, RandomImage(options.training_size)));
  const MemoryCounter memory;
  int64_t before = 0;
  auto piece = description.pieces.begin();
  const auto end_piece = [&] {
    piece->kept_bytes = memory.current() - before;
    before = memory.current();
    ++piece;
  };
  const FeaturePyramid pyramid = segmentor.backbone()->forward(prepared.images);
  end_piece();
  const PixelDecoderOutput pixels = segmentor.pixel_decoder()->forward(pyramid);
  end_piece();
  const std::vector<MaskPrediction> predictions =
      segmentor.transformer_decoder()->forward(pixels.levels,
                                               pixels.mask_features);
  end_piece();
}

// Two steps: only the first makes room for the optimizer's state.
absl::StatusOr<int64_t> RunTrainingSteps(const Experiment& experiment,
                                         std::shared_ptr<Segmentor> segmentor,
                                         const DescribeOptions& options) {
  M2F_ASSIGN_OR_RETURN(std::unique_ptr<Matcher> matcher,
                       BuildMatcher(experiment.matcher()));
  M2F_ASSIGN_OR_RETURN(SetCriterion criterion,
                       SetCriterion::Create(experiment.criterion()));
  M2F_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> optimizer,
                       BuildOptimizer(experiment.solver(), *segmentor));
  const ImageBatch batch =
      RandomBatch(options, experiment.model().num_classes());
  segmentor->train();
  MemoryCounter memory;
  TrainStep step(std::move(segmentor), std::move(matcher), std::move(criterion),
                 std::move(optimizer), /*micro_batch_size=*/0);
  GeneratorPointSource points(at::detail::createCPUGenerator(/*seed=*/1));
  M2F_RETURN_IF_ERROR(step.Run(batch, points).status());
  memory.ResetPeak();
  M2F_RETURN_IF_ERROR(step.Run(batch, points).status());
  return memory.peak();
}

std::string WithCommas(int64_t number) {
  std::string digits = absl::StrCat(number);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(i, ",");
  }
  return digits;
}

double MiB(int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

}  // namespace

absl::StatusOr<ModelDescription> DescribeModel(const Experiment& experiment,
                                               const DescribeOptions& options) {
  for (const int64_t number :
       {options.batch, options.inference_size.height,
        options.inference_size.width, options.training_size.height,
        options.training_size.width, options.num_targets}) {
    if (number < 1) {
      return absl::InvalidArgumentError(
          "batch, sizes and num_targets must be positive");
    }
  }
  M2F_ASSIGN_OR_RETURN(const std::shared_ptr<Segmentor> segmentor,
                       BuildSegmentor(experiment.model()));
  ModelDescription description;
  description.pieces = {
      {kBackbone, CountParameters(*segmentor->backbone())},
      {kPixelDecoder, CountParameters(*segmentor->pixel_decoder())},
      {kTransformerDecoder,
       CountParameters(*segmentor->transformer_decoder())}};
  const InferenceConfig& inference = experiment.model().inference();
  if (inference.semantic_on()) description.pieces.push_back({kLabels});
  if (inference.panoptic_on()) description.pieces.push_back({kSegments});
  if (inference.instance_on()) description.pieces.push_back({kInstances});
  description.weight_bytes = WeightBytes(*segmentor);
  RunInference(*segmentor, inference, options, description);
  if (options.training) {
    RunTrainingForward(*segmentor, options, description);
    M2F_ASSIGN_OR_RETURN(description.training_bytes,
                         RunTrainingSteps(experiment, segmentor, options));
  }
  PieceDescription& total = description.total;
  total.name = "total";
  for (const PieceDescription& piece : description.pieces) {
    total.parameters += piece.parameters;
    total.macs += piece.macs;
    total.sampling_macs += piece.sampling_macs;
    total.activations += piece.activations;
    total.kept_bytes += piece.kept_bytes;
  }
  return description;
}

std::string TextReport(const ModelDescription& description,
                       const DescribeOptions& options) {
  const auto size_text = [&](const ImageSize& size) {
    return absl::StrCat(options.batch, " x ", size.height, " x ", size.width);
  };
  std::string text =
      absl::StrFormat("%-20s %12s %10s %14s %12s", "", "parameters", "GMAC",
                      "activations M", "memory MiB");
  if (options.training) absl::StrAppendFormat(&text, " %18s", "kept MiB");
  text += "\n";
  const auto add_row = [&](const PieceDescription& piece) {
    absl::StrAppendFormat(&text, "%-20s %12s %10.2f %14.1f %12.1f", piece.name,
                          WithCommas(piece.parameters),
                          static_cast<double>(piece.macs) * 1e-9,
                          static_cast<double>(piece.activations) * 1e-6,
                          MiB(piece.inference_bytes));
    if (options.training) {
      absl::StrAppendFormat(&text, " %18.1f", MiB(piece.kept_bytes));
    }
    text += "\n";
  };
  for (const PieceDescription& piece : description.pieces) add_row(piece);
  add_row(description.total);
  absl::StrAppendFormat(
      &text,
      "\nInference of %s: multiply-accumulates of matrix products, "
      "convolutions and attention\n(%.2f G more sample deformable attention); "
      "elements that they write; peak memory over a piece's\ninput, in all "
      "%.1f MiB with %.1f MiB of weights and %.1f MiB made of them.\n",
      size_text(options.inference_size),
      static_cast<double>(description.total.sampling_macs) * 1e-9,
      MiB(description.total.inference_bytes + description.weight_bytes +
          description.prepared_bytes),
      MiB(description.weight_bytes), MiB(description.prepared_bytes));
  if (options.training) {
    absl::StrAppendFormat(
        &text,
        "Training on %s with %d targets an image: memory kept for the backward "
        "pass; the peak of\na whole step is %.1f MiB with weights, gradients, "
        "losses and optimizer.\n",
        size_text(options.training_size), options.num_targets,
        MiB(description.training_bytes + description.weight_bytes));
  }
  return text;
}

}  // namespace mask2former
