#include "mask2former/tools/counters/flop_counter.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "mask2former/backbone/ops/window_attention.h"
#include "mask2former/common/layers/folded_conv.h"
#include "mask2former/common/point_sample.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_fused.h"

namespace mask2former {
namespace {

template <typename Function>
int64_t Count(Function function) {
  const at::NoGradGuard no_grad;
  const FlopCounter counter;
  function();
  return counter.count();
}

TEST(FlopCounterTest, CountsMatrixProductsOnce) {
  const at::Tensor a = at::rand({3, 5}), b = at::rand({5, 7});
  EXPECT_EQ(Count([&] { at::mm(a, b); }), 2 * 3 * 5 * 7);
  EXPECT_EQ(Count([&] { at::matmul(a, b); }), 2 * 3 * 5 * 7);
  const at::Tensor batch = at::rand({4, 3, 5});
  EXPECT_EQ(Count([&] {
              at::bmm(batch, b.expand({4, 5, 7}));
            }),
            2 * 4 * 3 * 5 * 7);
  EXPECT_EQ(Count([&] {
              at::einsum("bij,jk->bik", {batch, b});
            }),
            2 * 4 * 3 * 5 * 7);
  const at::Tensor bias = at::rand({7});
  EXPECT_EQ(Count([&] { at::linear(batch, b.t(), bias); }), 2 * 4 * 3 * 5 * 7);
  EXPECT_EQ(Count([&] { at::linear(batch, b.t()); }), 2 * 4 * 3 * 5 * 7);
}

TEST(FlopCounterTest, CountsConvolutions) {
  const at::Tensor x = at::rand({2, 6, 9, 9}), w = at::rand({4, 6, 3, 3});
  EXPECT_EQ(Count([&] { at::conv2d(x, w, {}, 2, 1); }),
            2 * (2 * 4 * 5 * 5) * (6 * 3 * 3));
  const at::Tensor grouped = at::rand({4, 3, 3, 3});
  EXPECT_EQ(Count([&] { at::conv2d(x, grouped, {}, 1, 1, 1, 2); }),
            2 * (2 * 4 * 9 * 9) * (3 * 3 * 3));
}

TEST(FlopCounterTest, CountsConvolutionsThatAddSomething) {
  const at::Tensor x = at::rand({2, 6, 9, 9}), w = at::rand({4, 6, 3, 3});
  const at::Tensor residual = at::rand({2, 4, 9, 9});
  FoldedConvOptions options;
  options.padding = 1;
  const FoldedConv conv(w, {}, options);
  const int64_t wanted = 2 * (2 * 4 * 9 * 9) * (6 * 3 * 3);
  EXPECT_EQ(Count([&] { conv.Run(x, {}); }), wanted);
  EXPECT_EQ(Count([&] { conv.Run(x, residual); }), wanted);
}

TEST(FlopCounterTest, CountsWindowAttentionWhicheverWayItIsComputed) {
  // 5 x 7 positions in windows of 3 are 6 x 9.
  const at::Tensor qkv = at::rand({2, 5, 7, 3 * 64}), padding = at::rand({192});
  const at::Tensor bias = at::rand({2, 9, 9});
  const int64_t wanted = 4 * 2 * 6 * 9 * 9 * 64;
  EXPECT_EQ(Count([&] { ops::WindowAttention(qkv, padding, bias, 3, 1); }),
            wanted);
  EXPECT_EQ(Count([&] {
              ops::WindowAttention(qkv.to(at::kDouble), padding.to(at::kDouble),
                                   bias.to(at::kDouble), 3, 1);
            }),
            wanted);
}

TEST(FlopCounterTest, CountsAttentionWhicheverWayItIsComputed) {
  const at::Tensor q = at::rand({1, 2, 16, 8}), k = at::rand({1, 2, 32, 8});
  const int64_t wanted = 4 * 2 * 16 * 32 * 8;
  EXPECT_EQ(Count([&] { at::scaled_dot_product_attention(q, k, k); }), wanted);
  const at::Tensor mask = at::rand({16, 32}) > 0.5;
  EXPECT_EQ(Count([&] { at::scaled_dot_product_attention(q, k, k, mask); }),
            wanted);
}

TEST(FlopCounterTest, CountsDeformableAttention) {
  const at::Tensor value = at::rand({1, 6, 2, 4});
  const at::Tensor locations = at::rand({1, 5, 2, 1, 3, 2});
  const at::Tensor weights = at::rand({1, 5, 2, 1, 3});
  EXPECT_EQ(Count([&] {
              ops::MsDeformAttn(value, {2, 3}, locations, weights);
            }),
            8 * (5 * 2 * 3) * 4);
  const at::Tensor points = at::rand({1, 5, 1, 2});
  EXPECT_EQ(Count([&] {
              ops::MsDeformAttnFused(value, {2, 3}, points, locations, weights);
            }),
            8 * (5 * 2 * 3) * 4);
}

TEST(FlopCounterTest, CountsPointSampling) {
  const at::Tensor maps = at::rand({2, 3, 4, 5}), points = at::rand({2, 7, 2});
  EXPECT_EQ(Count([&] { PointSample(maps, points); }), 8 * (2 * 3 * 7));
}

TEST(FlopCounterTest, TellsSamplingApart) {
  const at::NoGradGuard no_grad;
  const at::Tensor value = at::rand({1, 6, 2, 4}), a = at::rand({3, 3});
  const at::Tensor points = at::rand({1, 5, 1, 2});
  const at::Tensor offsets = at::rand({1, 5, 2, 1, 3, 2});
  const at::Tensor logits = at::rand({1, 5, 2, 1, 3});
  const FlopCounter counter;
  at::mm(a, a);
  EXPECT_EQ(counter.sampling(), 0);
  ops::MsDeformAttnFused(value, {2, 3}, points, offsets, logits);
  EXPECT_EQ(counter.sampling(), 8 * (5 * 2 * 3) * 4);
  EXPECT_EQ(counter.count(), counter.sampling() + 2 * 3 * 3 * 3);
}

TEST(FlopCounterTest, CountsWhatTheOperatorsWrite) {
  const at::NoGradGuard no_grad;
  const at::Tensor x = at::rand({2, 6, 9, 9}), w = at::rand({4, 6, 3, 3});
  const at::Tensor a = at::rand({3, 5}), b = at::rand({5, 7});
  const FlopCounter counter;
  at::conv2d(x, w, {}, 2, 1).relu();
  EXPECT_EQ(counter.activations(), 2 * 4 * 5 * 5);
  at::linear(a, b.t(), at::rand({7}));
  EXPECT_EQ(counter.activations(), 2 * 4 * 5 * 5 + 3 * 7);
}

TEST(FlopCounterTest, CountsNothingElse) {
  const at::Tensor a = at::rand({8, 8});
  EXPECT_EQ(Count([&] { (a + a).relu().softmax(-1).sum(); }), 0);
  at::mm(a, a);
  EXPECT_EQ(Count([] {}), 0);
}

}  // namespace
}  // namespace mask2former
