#include "mask2former/backbone/ops/window_attention_check.h"

#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mask2former::ops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// B = 1, H = 4, W = 6, M = 2, D = 4.
struct Arguments {
  at::Tensor grad_output = at::zeros({1, 4, 6, 8});
  at::Tensor qkv = at::zeros({1, 4, 6, 24});
  at::Tensor padding = at::zeros({24});
  at::Tensor position_bias = at::zeros({2, 9, 9});
  int64_t window = 3, shift = 1;

  WindowAttentionSizes Check() const {
    return CheckWindowAttention(qkv, padding, position_bias, window, shift);
  }
  WindowAttentionSizes CheckBackward() const {
    return CheckWindowAttentionBackward(grad_output, qkv, padding,
                                        position_bias, window, shift);
  }
};

void ExpectBackwardRefusal(const Arguments& a, const std::string& message) {
  EXPECT_THAT([&] { a.CheckBackward(); },
              ThrowsMessage<c10::Error>(HasSubstr(message)));
}

void ExpectBothRefusals(const Arguments& a, const std::string& message) {
  EXPECT_THAT([&] { a.Check(); },
              ThrowsMessage<c10::Error>(HasSubstr(message)));
  ExpectBackwardRefusal(a, message);
}

std::vector<int64_t> List(const WindowAttentionSizes& s) {
  return {s.batch,    s.height, s.width, s.heads,
          s.head_dim, s.window, s.shift, s.windows()};
}

TEST(CheckWindowAttentionTest, ReadsTheSizesOffTheArguments) {
  const Arguments a;
  EXPECT_THAT(List(a.Check()), ElementsAre(1, 4, 6, 2, 4, 3, 1, 4));
  EXPECT_THAT(List(a.CheckBackward()), ElementsAre(1, 4, 6, 2, 4, 3, 1, 4));
}

TEST(CheckWindowAttentionTest, NamesTheArgumentOfAnotherShape) {
  Arguments a;
  a.shift = 3;
  ExpectBothRefusals(a, "shift (3) must be in 0 .. window - 1, window 3");
  a.shift = -1;
  ExpectBothRefusals(a, "shift (-1) must be in 0 .. window - 1");
  a.window = 0;
  ExpectBothRefusals(a, "window 0");
  a = {};
  a.qkv = at::zeros({4, 6, 24});
  ExpectBothRefusals(a, "qkv must have shape");
  a = {};
  a.padding = at::zeros({8});
  ExpectBothRefusals(a, "padding must have shape [24]");
  a = {};
  a.position_bias = at::zeros({2, 4, 4});
  ExpectBothRefusals(a, "position_bias must have shape [*, 9, 9]");
  a.position_bias = at::zeros({5, 9, 9});
  ExpectBothRefusals(a, "multiple of 3 times the heads of position_bias (5)");
  a.position_bias = at::zeros({0, 9, 9});
  ExpectBothRefusals(a, "multiple of 3 times the heads of position_bias (0)");
  a = {};
  a.grad_output = at::zeros({1, 4, 6, 24});
  ExpectBackwardRefusal(a, "grad_output must have shape [1, 4, 6, 8]");
}

TEST(CheckWindowAttentionTest, NamesTheArgumentOfAnotherTypeOrDevice) {
  Arguments a;
  a.qkv = a.qkv.to(at::kLong);
  ExpectBothRefusals(a, "qkv must be floating point, got Long");
  a = {};
  a.padding = a.padding.to(at::kDouble);
  ExpectBothRefusals(a, "padding must be Float on cpu as qkv is, got Double");
  a = {};
  a.position_bias = a.position_bias.to(at::kMeta);
  ExpectBothRefusals(a,
                     "position_bias must be Float on cpu as qkv is, got "
                     "Float on meta");
  a = {};
  a.grad_output = a.grad_output.to(at::kHalf);
  ExpectBackwardRefusal(a,
                        "grad_output must be Float on cpu as qkv is, got "
                        "Half");
}

TEST(HasCpuKernelTest, InFloatForSizesThatTheKernelTakes) {
  const WindowAttentionSizes sizes = {1, 4, 6, 2, 32, 3, 1};
  EXPECT_TRUE(HasCpuKernel(at::kFloat, sizes));
  EXPECT_FALSE(HasCpuKernel(at::kDouble, sizes));
  EXPECT_FALSE(HasCpuKernel(at::kFloat, {1, 4, 6, 2, 16, 3, 1}));
}

TEST(HasCudaKernelTest, InFloatAndHalfTypesForSizesThatTheKernelTakes) {
  const WindowAttentionSizes sizes = {1, 4, 6, 2, 32, 3, 1};
  for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16}) {
    EXPECT_TRUE(HasCudaKernel(type, sizes));
    EXPECT_FALSE(HasCudaKernel(type, {1, 4, 6, 2, 64, 3, 1}));
  }
  EXPECT_FALSE(HasCudaKernel(at::kDouble, sizes));
}

}  // namespace
}  // namespace mask2former::ops
