#include "mask2former/transformer_decoder/decoder_layer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

// Attention itself has its own test: here it is taken from a copy with the same
// parameters.
struct Layers {
  explicit Layers(bool pre_norm, double dropout = 0) {
    torch::manual_seed(1);
    options.channels = 8;
    options.num_heads = 2;
    options.feedforward_channels = 12;
    options.pre_norm = pre_norm;
    options.dropout = dropout;
    cross = std::make_shared<CrossAttentionLayer>(options);
    self = std::make_shared<SelfAttentionLayer>(options);
    feedforward = std::make_shared<FeedforwardLayer>(options);
    const torch::NoGradGuard no_grad;
    for (torch::nn::Module* module :
         {static_cast<torch::nn::Module*>(cross.get()),
          static_cast<torch::nn::Module*>(self.get()),
          static_cast<torch::nn::Module*>(feedforward.get())}) {
      for (torch::Tensor& parameter : module->parameters()) {
        if (parameter.dim() == 1) parameter.uniform_(0.5, 1.5);
      }
    }
  }

  DecoderLayerOptions options;
  std::shared_ptr<CrossAttentionLayer> cross;
  std::shared_ptr<SelfAttentionLayer> self;
  std::shared_ptr<FeedforwardLayer> feedforward;
  const torch::Tensor x = at::randn({2, 3, 8});
  const torch::Tensor places = at::randn({2, 3, 8});
  const torch::Tensor keys = at::randn({2, 5, 8});
  const torch::Tensor values = at::randn({2, 5, 8});
  const torch::Tensor attendable = at::randn({2, 1, 3, 5}).gt(-0.5);
};

torch::Tensor Norm(const torch::nn::Module& layer, const torch::Tensor& x) {
  const auto p = layer.named_parameters();
  return at::layer_norm(x, {8}, p["norm.weight"], p["norm.bias"], 1e-5);
}

MultiheadAttention& Attention(torch::nn::Module& layer, const char* name) {
  return *layer.named_children()[name]->as<MultiheadAttention>();
}

torch::Tensor Feedforward(const torch::nn::Module& layer,
                          const torch::Tensor& x) {
  const auto p = layer.named_parameters();
  return at::linear(
      at::linear(x, p["linear1.weight"], p["linear1.bias"]).clamp_min(0),
      p["linear2.weight"], p["linear2.bias"]);
}

TEST(DecoderLayerTest, PostNormNormalizesTheSum) {
  Layers l(/*pre_norm=*/false);
  EXPECT_THAT(
      l.cross->forward(l.x, l.places, l.keys, l.values, l.attendable),
      TensorNear(Norm(*l.cross, l.x + Attention(*l.cross, "multihead_attn")
                                          .forward(l.x + l.places, l.keys,
                                                   l.values, l.attendable)),
                 1e-5, 1e-5));
  EXPECT_THAT(l.self->forward(l.x, l.places),
              TensorNear(Norm(*l.self, l.x + Attention(*l.self, "self_attn")
                                                 .forward(l.x + l.places,
                                                          l.x + l.places, l.x)),
                         1e-5, 1e-5));
  EXPECT_THAT(
      l.feedforward->forward(l.x),
      TensorNear(Norm(*l.feedforward, l.x + Feedforward(*l.feedforward, l.x)),
                 1e-5, 1e-5));
}

TEST(DecoderLayerTest, PreNormNormalizesTheInputOfEachSublayer) {
  Layers l(/*pre_norm=*/true);
  torch::Tensor y = Norm(*l.cross, l.x);
  EXPECT_THAT(l.cross->forward(l.x, l.places, l.keys, l.values, l.attendable),
              TensorNear(l.x + Attention(*l.cross, "multihead_attn")
                                   .forward(y + l.places, l.keys, l.values,
                                            l.attendable),
                         1e-5, 1e-5));
  y = Norm(*l.self, l.x);
  EXPECT_THAT(l.self->forward(l.x, l.places),
              TensorNear(l.x + Attention(*l.self, "self_attn")
                                   .forward(y + l.places, y + l.places, y),
                         1e-5, 1e-5));
  EXPECT_THAT(
      l.feedforward->forward(l.x),
      TensorNear(l.x + Feedforward(*l.feedforward, Norm(*l.feedforward, l.x)),
                 1e-5, 1e-5));
}

TEST(DecoderLayerTest, DropoutActsInTrainingOnly) {
  Layers with(/*pre_norm=*/false, /*dropout=*/0.5);
  Layers without(/*pre_norm=*/false);
  EXPECT_GT(
      (with.feedforward->forward(with.x) - without.feedforward->forward(with.x))
          .abs()
          .max()
          .item<float>(),
      1e-3);
  with.feedforward->eval();
  EXPECT_THAT(with.feedforward->forward(with.x),
              TensorNear(without.feedforward->forward(with.x), 0., 0.));
}

}  // namespace
}  // namespace mask2former
