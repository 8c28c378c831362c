#include "mask2former/model/segmentor.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <utility>

#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

// Gives the two decoders the prefix that the published weights have.
class SemSegHead final : public torch::nn::Module {
 public:
  SemSegHead(std::shared_ptr<PixelDecoder> pixel_decoder,
             std::shared_ptr<TransformerDecoder> transformer_decoder) {
    register_module("pixel_decoder", std::move(pixel_decoder));
    register_module("predictor", std::move(transformer_decoder));
  }
};

int64_t RoundUp(int64_t value, int64_t divisor) {
  return (value + divisor - 1) / divisor * divisor;
}

}  // namespace

Segmentor::Segmentor(const SegmentorOptions& options,
                     std::shared_ptr<Backbone> backbone,
                     std::shared_ptr<PixelDecoder> pixel_decoder,
                     std::shared_ptr<TransformerDecoder> transformer_decoder)
    : options_(options),
      backbone_(std::move(backbone)),
      pixel_decoder_(std::move(pixel_decoder)),
      transformer_decoder_(std::move(transformer_decoder)) {
  register_module("backbone", backbone_);
  register_module("sem_seg_head", std::make_shared<SemSegHead>(
                                      pixel_decoder_, transformer_decoder_));
}

PreparedImages Segmentor::Prepare(const std::vector<torch::Tensor>& images,
                                  const ImageSize& at_least) const {
  TORCH_CHECK(!images.empty(), "Prepare() needs at least one image");
  PreparedImages prepared;
  int64_t height = at_least.height, width = at_least.width;
  for (const torch::Tensor& image : images) {
    CheckShape(image, "image", {3, kAny, kAny});
    prepared.sizes.push_back({image.size(1), image.size(2)});
    height = std::max(height, image.size(1));
    width = std::max(width, image.size(2));
  }
  height = RoundUp(height, options_.size_divisibility);
  width = RoundUp(width, options_.size_divisibility);

  const at::TensorOptions where = at::TensorOptions().device(device());
  const at::Tensor mean =
      at::tensor(at::ArrayRef<float>(options_.pixel_mean), where)
          .view({3, 1, 1});
  const at::Tensor std =
      at::tensor(at::ArrayRef<float>(options_.pixel_std), where)
          .view({3, 1, 1});
  const int64_t count = static_cast<int64_t>(images.size());
  prepared.images = at::zeros({count, 3, height, width}, where);
  for (int64_t i = 0; i < count; ++i) {
    const at::Tensor image = images[i].to(device()).to(at::kFloat);
    prepared.images[i]
        .narrow(1, 0, image.size(1))
        .narrow(2, 0, image.size(2))
        .copy_((image - mean) / std);
  }
  return prepared;
}

std::vector<MaskPrediction> Segmentor::forward(const torch::Tensor& images) {
  const FeaturePyramid pyramid = backbone_->forward(images);
  const PixelDecoderOutput pixels = pixel_decoder_->forward(pyramid);
  return transformer_decoder_->forward(pixels.levels, pixels.mask_features);
}

MaskPrediction Segmentor::PredictFinal(const torch::Tensor& images,
                                       bool shrink_mask_features) {
  const FeaturePyramid pyramid = backbone_->forward(images);
  const PixelDecoderOutput pixels = pixel_decoder_->forward(pyramid);
  if (shrink_mask_features) {
    return transformer_decoder_->PredictFinal(pixels.levels,
                                              pixels.mask_features);
  }
  return transformer_decoder_->forward(pixels.levels, pixels.mask_features)
      .back();
}

torch::Device Segmentor::device() const {
  return parameters().front().device();
}

std::vector<MaskTarget> PadTargets(const std::vector<MaskTarget>& targets,
                                   int64_t height, int64_t width) {
  std::vector<MaskTarget> padded;
  for (const MaskTarget& target : targets) {
    CheckShape(target.masks, "masks", {target.labels.numel(), kAny, kAny});
    const int64_t below = height - target.masks.size(1);
    const int64_t right = width - target.masks.size(2);
    TORCH_CHECK(below >= 0 && right >= 0, "masks of ", target.masks.size(1),
                " x ", target.masks.size(2), " do not fit into ", height, " x ",
                width);
    padded.push_back(
        {target.labels,
         below == 0 && right == 0
             ? target.masks
             : at::constant_pad_nd(target.masks, {0, right, 0, below}, 0)});
  }
  return padded;
}

}  // namespace mask2former
