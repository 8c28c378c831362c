#include "mask2former/backbone/ops/window_attention_composed.h"

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include "mask2former/backbone/ops/window_attention_reference.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former::ops {
namespace {

TEST(ComposedWindowAttentionTest, EqualsTheReference) {
  torch::manual_seed(7);
  for (const int64_t shift : {0, 1, 2}) {
    const at::Tensor qkv = at::randn({2, 5, 10, 24}, at::kDouble);
    const at::Tensor padding = at::randn({24}, at::kDouble);
    const at::Tensor bias = at::randn({2, 9, 9}, at::kDouble);
    EXPECT_THAT(
        ComposedWindowAttention(qkv, padding, bias, 3, shift),
        TensorNear(WindowAttentionReference(qkv, padding, bias, 3, shift),
                   1e-12, 0.))
        << shift;
  }
}

}  // namespace
}  // namespace mask2former::ops
