#include "mask2former/transformer_decoder/multihead_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "mask2former/common/testing/gradient_check.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

MultiheadAttentionOptions Options() {
  MultiheadAttentionOptions options;
  options.channels = 6;
  options.num_heads = 2;
  return options;
}

// The definition, one head and image at a time.
torch::Tensor Reference(const MultiheadAttention& attention,
                        const torch::Tensor& queries, const torch::Tensor& keys,
                        const torch::Tensor& values,
                        const torch::Tensor& attendable) {
  const auto p = attention.named_parameters();
  const torch::Tensor w = p["in_proj_weight"], b = p["in_proj_bias"];
  const int64_t c = 6, d = 3;
  std::vector<torch::Tensor> images;
  for (int64_t i = 0; i < queries.size(0); ++i) {
    std::vector<torch::Tensor> heads;
    for (int64_t head = 0; head < 2; ++head) {
      const auto part = [&](const torch::Tensor& x, int64_t which) {
        const int64_t begin = which * c + head * d;
        return at::linear(x[i], w.slice(0, begin, begin + d),
                          b.slice(0, begin, begin + d));
      };
      torch::Tensor scores =
          at::matmul(part(queries, 0), part(keys, 1).t()) / std::sqrt(3.0);
      if (attendable.defined()) {
        scores = scores.masked_fill(attendable[i][0].logical_not(),
                                    -std::numeric_limits<double>::infinity());
      }
      heads.push_back(at::matmul(at::softmax(scores, 1), part(values, 2)));
    }
    images.push_back(at::linear(at::cat(heads, 1), p["out_proj.weight"],
                                p["out_proj.bias"]));
  }
  return at::stack(images);
}

TEST(MultiheadAttentionTest, NamesItsParametersAsPublished) {
  const MultiheadAttention attention(Options());
  const auto parameters = attention.named_parameters();
  EXPECT_THAT(parameters.keys(),
              ElementsAre("in_proj_weight", "in_proj_bias", "out_proj.weight",
                          "out_proj.bias"));
  EXPECT_THAT(parameters["in_proj_weight"].sizes(), ElementsAre(18, 6));
}

TEST(MultiheadAttentionTest, FollowsTheDefinitionWithAndWithoutAMask) {
  torch::manual_seed(1);
  MultiheadAttention attention(Options());
  {
    torch::NoGradGuard no_grad;
    for (torch::Tensor& parameter : attention.parameters()) {
      parameter.normal_();
    }
  }
  const torch::Tensor queries = at::randn({2, 4, 6});
  const torch::Tensor keys = at::randn({2, 5, 6});
  const torch::Tensor values = at::randn({2, 5, 6});
  torch::Tensor attendable = at::rand({2, 1, 4, 5}).gt(0.5);
  attendable.select(3, 2).fill_(true);
  EXPECT_THAT(
      attention.forward(queries, keys, values),
      TensorNear(Reference(attention, queries, keys, values, {}), 1e-5, 1e-5));
  EXPECT_THAT(
      attention.forward(queries, keys, values, attendable),
      TensorNear(Reference(attention, queries, keys, values, attendable), 1e-5,
                 1e-5));
}

TEST(MultiheadAttentionTest, GradientsMatchCentralDifferences) {
  torch::manual_seed(1);
  MultiheadAttention attention(Options());
  attention.to(torch::kDouble);
  torch::Tensor attendable = at::rand({1, 1, 3, 4}).gt(0.5);
  attendable.select(3, 0).fill_(true);
  EXPECT_TRUE(GradientsMatch(
      [&](const std::vector<torch::Tensor>& x) {
        return attention.forward(x[0], x[1], x[2], attendable);
      },
      {at::randn({1, 3, 6}, torch::kDouble),
       at::randn({1, 4, 6}, torch::kDouble),
       at::randn({1, 4, 6}, torch::kDouble)}));
}

TEST(MultiheadAttentionTest, StartsAsThePublishedModel) {
  torch::manual_seed(1);
  MultiheadAttentionOptions options;
  const MultiheadAttention attention(options);
  const auto parameters = attention.named_parameters();
  EXPECT_NEAR(parameters["in_proj_weight"].abs().max().item<double>(),
              std::sqrt(6. / 1024), 1e-4);
  EXPECT_NEAR(parameters["out_proj.weight"].abs().max().item<double>(),
              std::sqrt(6. / 512), 1e-4);
  EXPECT_EQ(parameters["in_proj_bias"].abs().max().item<double>(), 0);
  EXPECT_EQ(parameters["out_proj.bias"].abs().max().item<double>(), 0);
}

TEST(MultiheadAttentionTest, DropsWeightsInTrainingOnly) {
  torch::manual_seed(1);
  MultiheadAttentionOptions options = Options();
  options.dropout = 0.5;
  MultiheadAttention attention(options);
  const torch::Tensor x = at::randn({1, 8, 6});
  const torch::NoGradGuard no_grad;
  EXPECT_GT((attention.forward(x, x, x) - attention.forward(x, x, x))
                .abs()
                .max()
                .item<float>(),
            0);
  attention.eval();
  EXPECT_THAT(attention.forward(x, x, x),
              TensorNear(Reference(attention, x, x, x, {}), 1e-5, 1e-5));
}

TEST(MultiheadAttentionTest, RejectsWhatDoesNotFit) {
  MultiheadAttention attention(Options());
  const torch::Tensor x = at::zeros({1, 4, 6});
  EXPECT_THAT(
      [&] {
        attention.forward(x, at::zeros({2, 4, 6}), x);
      },
      ThrowsMessage<c10::Error>(HasSubstr("keys must have shape")));
  EXPECT_THAT(
      [&] {
        attention.forward(x, x, at::zeros({1, 3, 6}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("values must have shape")));
  MultiheadAttentionOptions options = Options();
  options.num_heads = 4;
  EXPECT_THAT([&] { MultiheadAttention{options}; },
              ThrowsMessage<c10::Error>(HasSubstr("num_heads (4)")));
}

}  // namespace
}  // namespace mask2former
