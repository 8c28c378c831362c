// Multi-scale deformable attention in a project of one's own.

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "mask2former/pixel_decoder/ops/ms_deform_attn.h"

namespace {

// One query reads one map of 2 x 3 pixels, 0 1 2 / 3 4 5, at two points: half
// from between all of 0 1 3 4, half from the centre of 5.
TEST(DeformableAttentionTest, ReadsBetweenPixels) {
  const at::Tensor value = at::arange(6, at::kFloat).view({1, 6, 1, 1});
  const at::Tensor locations =
      at::tensor({1.0 / 3, 1.0 / 2, 2.5 / 3, 1.5 / 2}, at::kFloat)
          .view({1, 1, 1, 1, 2, 2});
  const at::Tensor weights = at::full({1, 1, 1, 1, 2}, 0.5);

  const at::Tensor read = mask2former::ops::MsDeformAttn(
      value.requires_grad_(), /*level_shapes=*/{2, 3}, locations, weights);
  EXPECT_NEAR(read.item<float>(), 0.5 * 2 + 0.5 * 5, 1e-6);

  read.sum().backward();
  const at::Tensor gradient = value.grad().flatten();
  const float wanted[] = {0.125, 0.125, 0, 0.125, 0.125, 0.5};
  for (int i = 0; i < 6; ++i) {
    EXPECT_NEAR(gradient[i].item<float>(), wanted[i], 1e-6) << i;
  }
}

}  // namespace
