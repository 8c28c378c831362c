#include "mask2former/backbone/ops/window_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>
#include <torch/utils.h>

#include <string>
#include <vector>

#include "mask2former/backbone/ops/window_attention_reference.h"
#include "mask2former/common/testing/dispatched_operator.h"
#include "mask2former/common/testing/gradient_check.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former::ops {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Arguments {
  at::Tensor qkv, padding, position_bias;
  int64_t window, shift;

  at::Tensor Run() const {
    return WindowAttention(qkv, padding, position_bias, window, shift);
  }
  at::Tensor Reference() const {
    return WindowAttentionReference(qkv, padding, position_bias, window, shift);
  }
};

struct Sizes {
  const char* name;
  int64_t batch, height, width, heads, head_dim, window, shift;
};

Arguments Draw(const Sizes& sizes, at::ScalarType type) {
  torch::manual_seed(7);
  const int64_t channels = 3 * sizes.heads * sizes.head_dim;
  const int64_t positions = sizes.window * sizes.window;
  return {at::randn({sizes.batch, sizes.height, sizes.width, channels}, type),
          at::randn({channels}, type),
          at::randn({sizes.heads, positions, positions}, type), sizes.window,
          sizes.shift};
}

class WindowAttentionTest : public testing::TestWithParam<Sizes> {};

TEST_P(WindowAttentionTest, EqualsTheReference) {
  const at::NoGradGuard no_grad;
  const Arguments arguments = Draw(GetParam(), at::kFloat);
  EXPECT_THAT(arguments.Run(), TensorNear(arguments.Reference(), 2e-6, 1e-6));
}

TEST_P(WindowAttentionTest, EqualsTheReferenceInDouble) {
  const at::NoGradGuard no_grad;
  const Arguments arguments = Draw(GetParam(), at::kDouble);
  EXPECT_THAT(arguments.Run(), TensorNear(arguments.Reference(), 1e-12, 0.));
}

TEST_P(WindowAttentionTest, GradientsNeedNoOtherForward) {
  Arguments arguments = Draw(GetParam(), at::kFloat);
  const at::Tensor plain = arguments.Run();
  arguments.qkv.requires_grad_();
  const at::Tensor recorded = arguments.Run();
  EXPECT_TRUE(recorded.requires_grad());
  EXPECT_THAT(recorded.detach(), TensorNear(plain, 0., 0.));
}

// Of float, which has a path of its own, against double.
TEST_P(WindowAttentionTest, GradientsEqualThoseInDouble) {
  std::vector<std::vector<at::Tensor>> gradients;
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    Arguments arguments = Draw(GetParam(), at::kFloat);
    for (at::Tensor* tensor :
         {&arguments.qkv, &arguments.padding, &arguments.position_bias}) {
      *tensor = tensor->to(type).detach().requires_grad_();
    }
    const at::Tensor output = arguments.Run();
    torch::manual_seed(8);
    (output * at::randn(output.sizes()).to(type)).sum().backward();
    gradients.push_back({arguments.qkv.grad(), arguments.padding.grad(),
                         arguments.position_bias.grad()});
  }
  for (int i = 0; i < 3; ++i) {
    if (!gradients[1][i].defined()) {
      EXPECT_FALSE(gradients[0][i].defined());
      continue;
    }
    EXPECT_THAT(gradients[0][i], TensorNear(gradients[1][i], 2e-5, 1e-5)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, WindowAttentionTest,
    testing::Values(Sizes{"WholeWindows", 2, 4, 6, 2, 4, 2, 0},
                    Sizes{"Shifted", 1, 6, 9, 2, 4, 3, 1},
                    Sizes{"Padded", 2, 5, 7, 1, 8, 3, 0},
                    Sizes{"PaddedAndShifted", 2, 8, 11, 3, 4, 5, 2},
                    Sizes{"SmallerThanAWindow", 1, 3, 4, 2, 4, 7, 3},
                    Sizes{"NarrowerThanAWindow", 1, 15, 2, 2, 4, 7, 3},
                    Sizes{"WindowsOfOne", 1, 2, 3, 1, 4, 1, 0},
                    Sizes{"OddHeads", 1, 7, 7, 3, 5, 7, 6},
                    Sizes{"WideHeads", 2, 10, 5, 1, 64, 3, 1},
                    Sizes{"AsSwinT", 1, 17, 24, 3, 32, 7, 3},
                    Sizes{"AsSwinB", 1, 16, 20, 2, 32, 12, 6}),
    [](const auto& info) { return info.param.name; });

TEST(WindowAttentionGradientTest, EqualsCentralDifferences) {
  const Arguments arguments = Draw({"", 1, 4, 5, 2, 2, 3, 1}, at::kDouble);
  EXPECT_TRUE(GradientsMatch(
      [](const std::vector<at::Tensor>& inputs) {
        return WindowAttention(inputs[0], inputs[1], inputs[2], 3, 1);
      },
      {arguments.qkv, arguments.padding, arguments.position_bias}));
}

TEST(WindowAttentionGradientTest, OfPaddingThatIsNotAddedIsZerosOrNone) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    Arguments arguments = Draw({"", 1, 6, 9, 2, 32, 3, 1}, type);
    arguments.qkv.requires_grad_();
    arguments.padding.requires_grad_();
    arguments.Run().sum().backward();
    if (type == at::kFloat) {
      EXPECT_TRUE(arguments.padding.grad().equal(at::zeros({192})));
    } else {
      EXPECT_FALSE(arguments.padding.grad().defined());
    }
  }
}

TEST(WindowAttentionStridesTest, TakesAnyStrides) {
  const at::NoGradGuard no_grad;
  Arguments arguments = Draw({"", 2, 5, 7, 2, 4, 3, 1}, at::kFloat);
  const at::Tensor expected = arguments.Run();
  arguments.qkv =
      arguments.qkv.permute({3, 0, 2, 1}).contiguous().permute({1, 3, 2, 0});
  arguments.position_bias =
      arguments.position_bias.transpose(1, 2).contiguous().transpose(1, 2);
  EXPECT_THAT(arguments.Run(), TensorNear(expected, 0., 0.));
}

TEST(WindowAttentionEmptyTest, AnEmptyBatchGivesAnEmptyResult) {
  const at::NoGradGuard no_grad;
  const Arguments arguments = Draw({"", 0, 4, 6, 2, 4, 2, 1}, at::kFloat);
  EXPECT_EQ(arguments.Run().sizes(), (std::vector<int64_t>{0, 4, 6, 8}));
}

TEST(WindowAttentionLargeScoresTest, StayFinite) {
  const at::NoGradGuard no_grad;
  Arguments arguments = Draw({"", 1, 6, 6, 1, 8, 3, 1}, at::kFloat);
  arguments.qkv.mul_(100);  // Scores of tens of thousands.
  const at::Tensor output = arguments.Run();
  EXPECT_TRUE(output.isfinite().all().item<bool>());
  const at::Tensor values = arguments.qkv.narrow(3, 16, 8);
  EXPECT_LE(output.abs().max().item<float>(),
            values.abs().max().item<float>() * 1.0001);
}

TEST(WindowAttentionOperatorTest, IsPartOfLibTorchsDispatcher) {
  EXPECT_EQ(SchemaOf("mask2former::window_attention"),
            "mask2former::window_attention(Tensor qkv, Tensor padding, "
            "Tensor position_bias, int window, int shift) -> Tensor");
  EXPECT_EQ(SchemaOf("mask2former::window_attention_backward"),
            "mask2former::window_attention_backward(Tensor grad_output, "
            "Tensor qkv, Tensor padding, Tensor position_bias, int window, "
            "int shift) -> (Tensor, Tensor, Tensor)");
  EXPECT_EQ(KernelsOf("mask2former::window_attention"), KernelsOfThisBuild());
  EXPECT_EQ(KernelsOf("mask2former::window_attention_backward"),
            KernelsOfThisBuild());
}

TEST(WindowAttentionOperatorTest, IsCalledByName) {
  const Arguments a = Draw({"", 1, 10, 5, 1, 32, 3, 1}, at::kFloat);
  const auto output =
      CallByName("mask2former::window_attention",
                 {a.qkv, a.padding, a.position_bias, a.window, a.shift});
  ASSERT_EQ(output.size(), 1);
  const at::Tensor grad_output = output[0].toTensor();
  EXPECT_TRUE(grad_output.equal(a.Run()));
  const auto gradients = CallByName(
      "mask2former::window_attention_backward",
      {grad_output, a.qkv, a.padding, a.position_bias, a.window, a.shift});
  const auto [qkv, padding, bias] = WindowAttentionBackward(
      grad_output, a.qkv, a.padding, a.position_bias, a.window, a.shift);
  ASSERT_EQ(gradients.size(), 3);
  EXPECT_TRUE(gradients[0].toTensor().equal(qkv));
  EXPECT_TRUE(gradients[1].toTensor().equal(padding));
  EXPECT_TRUE(gradients[2].toTensor().equal(bias));
}

// The kernel keeps its arguments only: its gradient is an operator of its own.
// Other types are LibTorch's steps.
TEST(WindowAttentionOperatorTest, TheKernelHasAGradientOfItsOwn) {
  const auto name_of_gradient = [](at::ScalarType type) {
    Arguments a = Draw({"", 1, 6, 6, 1, 32, 3, 0}, type);
    a.qkv.requires_grad_();
    return a.Run().grad_fn()->name();
  };
  EXPECT_THAT(name_of_gradient(at::kFloat),
              HasSubstr("WindowAttentionFunction"));
  EXPECT_EQ(name_of_gradient(at::kDouble), "SliceBackward0");
}

TEST(WindowAttentionOperatorTest, RefusesASecondDerivative) {
  Arguments a = Draw({"", 1, 6, 6, 1, 32, 3, 1}, at::kFloat);
  a.qkv.requires_grad_();
  const at::Tensor first =
      torch::autograd::grad({a.Run().sum()}, {a.qkv}, {},
                            /*retain_graph=*/true, /*create_graph=*/true)[0];
  EXPECT_THAT([&] { torch::autograd::grad({first.sum()}, {a.qkv}); },
              ThrowsMessage<c10::Error>(HasSubstr("not implemented")));
}

// Which on this one, of shapes only, get as far as to the step that LibTorch
// has no kernel for there.
TEST(WindowAttentionOperatorTest, OtherDevicesTakeLibTorchsSteps) {
  for (const bool gradient : {false, true}) {
    Arguments a = Draw({"", 1, 10, 5, 1, 32, 3, 1}, at::kFloat);
    a.qkv = a.qkv.to(at::kMeta).requires_grad_(gradient);
    a.padding = a.padding.to(at::kMeta);
    a.position_bias = a.position_bias.to(at::kMeta);
    EXPECT_THAT([&] { a.Run(); },
                ThrowsMessage<c10::Error>(HasSubstr("aten::roll")));
  }
}

// Which the autograd function relies on: it does not ask for other devices.
TEST(WindowAttentionOperatorTest, OtherDevicesSkipTheAutogradFunction) {
  const std::string table =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mask2former::window_attention", "")
          .dumpComputedTable();
  EXPECT_THAT(table, ContainsRegex("AutogradCPU: [^\n]*autograd kernel"));
  EXPECT_THAT(table, ContainsRegex("AutogradMeta: [^\n]*math kernel"));
  EXPECT_THAT(table, ContainsRegex(KernelsOfThisBuild().size() == 3
                                       ? "AutogradCUDA: [^\n]*autograd kernel"
                                       : "AutogradCUDA: [^\n]*math kernel"));
}

// The rest is in window_attention_check_test.cc.
TEST(WindowAttentionShapeTest, RejectsWhatDoesNotFit) {
  for (const int64_t head_dim : {4, 32}) {
    Arguments a = Draw({"", 1, 4, 6, 2, head_dim, 3, 1}, at::kFloat);
    a.padding = at::zeros({8});
    EXPECT_THAT([&] { a.Run(); }, ThrowsMessage<c10::Error>(
                                      HasSubstr("padding must have shape")));
    EXPECT_THAT(
        [&] {
          WindowAttentionBackward(at::zeros({1}), a.qkv, a.padding,
                                  a.position_bias, 3, 1);
        },
        ThrowsMessage<c10::Error>(HasSubstr("padding must have shape")));
  }
}

}  // namespace
}  // namespace mask2former::ops
