// The ops on a GPU against the ops on the CPU.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <string>
#include <vector>

#include "mask2former/common/testing/requires_cuda.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_fused.h"

namespace mask2former::ops {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Case {
  std::string name;
  int64_t batch, queries, heads, head_dim, points;
  std::vector<int64_t> level_shapes;
  at::ScalarType type;
};

// Half a unit in the last place.
double Rounding(at::ScalarType type) {
  if (type == at::kHalf) return 0x1p-11;
  return type == at::kBFloat16 ? 0x1p-8 : 0;
}

struct Arguments {
  at::Tensor value, reference_points, offsets, logits, locations, weights;
  at::Tensor grad_output;
};

Arguments RandomArguments(const Case& c) {
  at::Generator generator = at::detail::createCPUGenerator(1);
  const int64_t levels = static_cast<int64_t>(c.level_shapes.size()) / 2;
  int64_t positions = 0;
  for (int64_t l = 0; l < levels; ++l) {
    positions += c.level_shapes[2 * l] * c.level_shapes[2 * l + 1];
  }
  const std::vector<int64_t> samples = {c.batch, c.queries, c.heads, levels,
                                        c.points};
  std::vector<int64_t> pairs = samples;
  pairs.push_back(2);
  return {at::randn({c.batch, positions, c.heads, c.head_dim}, generator)
              .to(c.type),
          at::rand({1, c.queries, levels, 2}, generator) * 1.1 - 0.05,
          (1.5 * at::randn(pairs, generator)).to(c.type),
          at::randn(samples, generator).to(c.type),
          at::rand(pairs, generator) * 1.5 - 0.25,
          at::rand(samples, generator),
          at::randn({c.batch, c.queries, c.heads * c.head_dim}, generator)
              .to(c.type)};
}

using Results = std::vector<at::Tensor>;

Results RunPlain(const Case& c, const Arguments& a, at::Device device) {
  Results inputs = {a.value, a.locations, a.weights};
  for (at::Tensor& t : inputs) t = t.to(device).requires_grad_();
  const at::Tensor output =
      MsDeformAttn(inputs[0], c.level_shapes, inputs[1], inputs[2]);
  Results results =
      torch::autograd::grad({output}, inputs, {a.grad_output.to(device)});
  results.push_back(output.detach());
  return results;
}

Results RunFused(const Case& c, const Arguments& a, at::Device device) {
  Results inputs = {a.value, a.reference_points, a.offsets, a.logits};
  for (at::Tensor& t : inputs) t = t.to(device).requires_grad_();
  const at::Tensor output = MsDeformAttnFused(inputs[0], c.level_shapes,
                                              inputs[1], inputs[2], inputs[3]);
  Results results =
      torch::autograd::grad({output}, inputs, {a.grad_output.to(device)});
  results.push_back(output.detach());
  return results;
}

class MsDeformAttnCudaTest : public testing::TestWithParam<Case> {
 protected:
  static void ExpectSame(Results (*run)(const Case&, const Arguments&,
                                        at::Device)) {
    const Arguments a = RandomArguments(GetParam());
    const Results expected = run(GetParam(), a, at::kCPU);
    const Results actual = run(GetParam(), a, at::kCUDA);
    const double rounding = 2 * Rounding(GetParam().type);
    for (size_t i = 0; i < expected.size(); ++i) {
      const at::Tensor wanted = expected[i].to(at::kDouble);
      // Gradients are sums of many numbers of either sign.
      const double scale = wanted.abs().max().item<double>();
      EXPECT_THAT(actual[i].cpu().to(at::kDouble),
                  TensorNear(wanted, 1e-5 + (1e-5 + rounding / 8) * scale,
                             1e-4 + rounding))
          << "result " << i;
    }
  }

  // Where additions have one order, two runs give the same bits.
  static void ExpectSameBits(Results (*run)(const Case&, const Arguments&,
                                            at::Device)) {
    const Arguments a = RandomArguments(GetParam());
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
    const Results first = run(GetParam(), a, at::kCUDA);
    const Results second = run(GetParam(), a, at::kCUDA);
    at::globalContext().setDeterministicAlgorithms(false, /*warn_only=*/false);
    for (size_t i = 0; i < first.size(); ++i) {
      EXPECT_TRUE(at::equal(first[i], second[i])) << "result " << i;
    }
  }
};

TEST_P(MsDeformAttnCudaTest, EqualsTheCpu) {
  M2F_REQUIRES_CUDA();
  ExpectSame(RunPlain);
  ExpectSame(RunFused);
}

TEST_P(MsDeformAttnCudaTest, GivesTheSameBitsTwiceIfDeterministic) {
  M2F_REQUIRES_CUDA();
  ExpectSameBits(RunPlain);
  // The reference points' gradient is LibTorch's sum, which is deterministic.
  ExpectSameBits(RunFused);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, MsDeformAttnCudaTest,
    testing::Values(
        Case{"OneOfEverything", 1, 1, 1, 1, 1, {1, 1}, at::kFloat},
        Case{"Float", 2, 700, 8, 32, 4, {4, 8, 8, 16, 16, 32}, at::kFloat},
        Case{"Half", 2, 700, 8, 32, 4, {4, 8, 8, 16, 16, 32}, at::kHalf},
        Case{
            "BFloat16", 2, 700, 8, 32, 4, {4, 8, 8, 16, 16, 32}, at::kBFloat16},
        Case{"OddHeads", 1, 90, 3, 37, 5, {9, 3, 5, 4}, at::kFloat}),
    [](const auto& info) { return info.param.name; });

// Same values, other strides.
at::Tensor Strided(const at::Tensor& tensor) {
  const at::Tensor result =
      tensor.transpose(1, -1).contiguous().transpose(1, -1);
  EXPECT_FALSE(result.is_contiguous());
  return result;
}

// Deterministic, so that results can be equal to the last bit.
class MsDeformAttnCudaStridesTest : public testing::Test {
 protected:
  void SetUp() override {
    M2F_REQUIRES_CUDA();
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  }
  void TearDown() override {
    at::globalContext().setDeterministicAlgorithms(false, /*warn_only=*/false);
  }

  const Case case_{"", 2, 9, 2, 32, 4, {4, 5, 2, 3}, at::kFloat};
};

TEST_F(MsDeformAttnCudaStridesTest, PlainTakesAny) {
  const Arguments a = RandomArguments(case_);
  const at::Tensor v = a.value.cuda(), l = a.locations.cuda();
  const at::Tensor w = a.weights.cuda(), g = a.grad_output.cuda();
  EXPECT_TRUE(at::equal(
      MsDeformAttn(Strided(v), case_.level_shapes, Strided(l), Strided(w)),
      MsDeformAttn(v, case_.level_shapes, l, w)));
  const auto [v1, l1, w1] = MsDeformAttnBackward(
      Strided(g), Strided(v), case_.level_shapes, Strided(l), Strided(w));
  const auto [v2, l2, w2] =
      MsDeformAttnBackward(g, v, case_.level_shapes, l, w);
  EXPECT_TRUE(at::equal(v1, v2));
  EXPECT_TRUE(at::equal(l1, l2));
  EXPECT_TRUE(at::equal(w1, w2));
}

TEST_F(MsDeformAttnCudaStridesTest, FusedTakesAny) {
  const Arguments a = RandomArguments(case_);
  const at::Tensor v = a.value.cuda(), r = a.reference_points.cuda();
  const at::Tensor o = a.offsets.cuda(), l = a.logits.cuda();
  const at::Tensor g = a.grad_output.cuda();
  EXPECT_TRUE(at::equal(MsDeformAttnFused(Strided(v), case_.level_shapes,
                                          Strided(r), Strided(o), Strided(l)),
                        MsDeformAttnFused(v, case_.level_shapes, r, o, l)));
  const auto [v1, o1, l1] =
      MsDeformAttnFusedBackward(Strided(g), Strided(v), case_.level_shapes,
                                Strided(r), Strided(o), Strided(l));
  const auto [v2, o2, l2] =
      MsDeformAttnFusedBackward(g, v, case_.level_shapes, r, o, l);
  EXPECT_TRUE(at::equal(v1, v2));
  EXPECT_TRUE(at::equal(o1, o2));
  EXPECT_TRUE(at::equal(l1, l2));
}

TEST(MsDeformAttnCudaEdgeTest, RefusesDouble) {
  M2F_REQUIRES_CUDA();
  const Case c{"", 1, 2, 1, 4, 1, {4, 5}, at::kDouble};
  const Arguments a = RandomArguments(c);
  EXPECT_THAT(
      [&] {
        MsDeformAttn(a.value.cuda(), c.level_shapes,
                     a.locations.to(at::kDouble).cuda(),
                     a.weights.to(at::kDouble).cuda());
      },
      ThrowsMessage<c10::Error>(HasSubstr("Float, Half or BFloat16 on CUDA")));
}

}  // namespace
}  // namespace mask2former::ops
