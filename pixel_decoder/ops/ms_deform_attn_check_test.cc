#include "mask2former/pixel_decoder/ops/ms_deform_attn_check.h"

#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace mask2former::ops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<int64_t> List(const MsDeformAttnSizes& s) {
  return {s.batch,   s.positions, s.heads, s.head_dim,
          s.queries, s.levels,    s.points};
}

void ExpectRefusal(const std::function<void()>& check,
                   const std::string& message) {
  EXPECT_THAT(check, ThrowsMessage<c10::Error>(HasSubstr(message)));
}

// B = 2, Q = 5, M = 3, D = 4, L = 2, P = 6 and S = 2 3 + 1 1. Nothing but sizes
// is read.
struct PlainArguments {
  at::Tensor value = at::empty({2, 7, 3, 4});
  std::vector<int64_t> level_shapes = {2, 3, 1, 1};
  at::Tensor locations = at::empty({2, 5, 3, 2, 6, 2});
  at::Tensor weights = at::empty({2, 5, 3, 2, 6});
  at::Tensor grad_output = at::empty({2, 5, 12});

  MsDeformAttnSizes Check() const {
    return CheckMsDeformAttn(value, level_shapes, locations, weights);
  }
  MsDeformAttnSizes CheckBackward() const {
    return CheckMsDeformAttnBackward(grad_output, value, level_shapes,
                                     locations, weights);
  }
};

void ExpectPlainRefusal(const PlainArguments& a, const std::string& message) {
  ExpectRefusal([&] { a.Check(); }, message);
  ExpectRefusal([&] { a.CheckBackward(); }, message);
}

TEST(CheckMsDeformAttnTest, ReadsTheSizesOffTheArguments) {
  const PlainArguments a;
  EXPECT_THAT(List(a.Check()), ElementsAre(2, 7, 3, 4, 5, 2, 6));
  EXPECT_THAT(List(a.CheckBackward()), ElementsAre(2, 7, 3, 4, 5, 2, 6));
}

TEST(CheckMsDeformAttnTest, NamesTheArgumentOfAnotherShape) {
  PlainArguments a;
  a.value = at::empty({2, 8, 3, 4});
  ExpectPlainRefusal(a, "value must have shape [*, 7, *, *], got [2, 8, 3, 4]");
  a.value = at::empty({2, 7, 12});
  ExpectPlainRefusal(a, "value must have shape [*, 7, *, *], got [2, 7, 12]");
  a = {};
  a.weights = at::empty({2, 5, 2, 2, 6});
  ExpectPlainRefusal(a, "weights must have shape [2, *, 3, 2, *]");
  a.weights = at::empty({1, 5, 3, 2, 6});
  ExpectPlainRefusal(a, "weights must have shape [2, *, 3, 2, *]");
  a = {};
  a.locations = at::empty({2, 5, 3, 2, 6, 3});
  ExpectPlainRefusal(a, "locations must have shape [2, 5, 3, 2, 6, 2]");
  a.locations = at::empty({2, 5, 3, 2, 12});
  ExpectPlainRefusal(a, "locations must have shape [2, 5, 3, 2, 6, 2]");
  a = {};
  a.grad_output = at::empty({2, 5, 3, 4});
  ExpectRefusal([&] { a.CheckBackward(); },
                "grad_output must have shape [2, 5, 12], got [2, 5, 3, 4]");
}

TEST(CheckMsDeformAttnTest, LevelsArePairsOfPositiveSizes) {
  PlainArguments a;
  a.level_shapes = {};
  ExpectPlainRefusal(a, "level_shapes must hold (H, W) pairs, got []");
  a.level_shapes = {2, 3, 1};
  ExpectPlainRefusal(a, "level_shapes must hold (H, W) pairs, got [2, 3, 1]");
  // The product is right.
  a.level_shapes = {-2, -3, 1, 1};
  ExpectPlainRefusal(a, "level_shapes must be positive, got [-2, -3, 1, 1]");
  a.level_shapes = {7, 1, 0, 1};
  ExpectPlainRefusal(a, "level_shapes must be positive");
}

TEST(CheckMsDeformAttnTest, RefusesSizesWhoseProductOverflows) {
  PlainArguments a;
  // 2^40 * 2^24 is 0 in 64 bits; twice 2^62 is negative.
  for (const std::vector<int64_t>& shapes : std::vector<std::vector<int64_t>>{
           {int64_t{1} << 40, int64_t{1} << 24},
           {int64_t{1} << 31, int64_t{1} << 31, int64_t{1} << 31,
            int64_t{1} << 31, 1, 1},
           {1 << 16, 1 << 15, 1, 1}}) {
    a.level_shapes = shapes;
    ExpectPlainRefusal(a, "the levels must have less than 2^31 positions");
  }
}

TEST(CheckMsDeformAttnTest, NamesTheArgumentOfAnotherTypeOrDevice) {
  PlainArguments a;
  a.locations = a.locations.to(at::kDouble);
  ExpectPlainRefusal(a,
                     "locations must be Float on cpu beside a Float value, "
                     "got Double on cpu");
  a = {};
  a.value = a.value.to(at::kHalf);
  a.grad_output = a.grad_output.to(at::kHalf);
  EXPECT_EQ(a.CheckBackward().batch, 2);  // Coordinates stay in float.
  a.weights = a.weights.to(at::kHalf);
  ExpectPlainRefusal(a,
                     "weights must be Float on cpu beside a Half value, got "
                     "Half on cpu");
  a = {};
  a.weights = a.weights.to(at::kMeta);
  ExpectPlainRefusal(a, "got Float on meta");
  a = {};
  a.grad_output = a.grad_output.to(at::kDouble);
  ExpectRefusal([&] { a.CheckBackward(); },
                "grad_output must be Float on cpu beside a Float value");
}

struct FusedArguments {
  at::Tensor value = at::empty({2, 7, 3, 4});
  std::vector<int64_t> level_shapes = {2, 3, 1, 1};
  at::Tensor reference_points = at::empty({2, 5, 2, 2});
  at::Tensor offsets = at::empty({2, 5, 3, 2, 6, 2});
  at::Tensor logits = at::empty({2, 5, 3, 2, 6});
  at::Tensor grad_output = at::empty({2, 5, 12});

  MsDeformAttnSizes Check() const {
    return CheckMsDeformAttnFused(value, level_shapes, reference_points,
                                  offsets, logits);
  }
  MsDeformAttnSizes CheckBackward() const {
    return CheckMsDeformAttnFusedBackward(grad_output, value, level_shapes,
                                          reference_points, offsets, logits);
  }
};

void ExpectFusedRefusal(const FusedArguments& a, const std::string& message) {
  ExpectRefusal([&] { a.Check(); }, message);
  ExpectRefusal([&] { a.CheckBackward(); }, message);
}

TEST(CheckMsDeformAttnFusedTest, ReadsTheSizesOffTheArguments) {
  FusedArguments a;
  EXPECT_THAT(List(a.Check()), ElementsAre(2, 7, 3, 4, 5, 2, 6));
  // All images may share the reference points.
  a.reference_points = at::empty({1, 5, 2, 2});
  EXPECT_THAT(List(a.CheckBackward()), ElementsAre(2, 7, 3, 4, 5, 2, 6));
}

TEST(CheckMsDeformAttnFusedTest, NamesTheArgumentOfAnotherShape) {
  FusedArguments a;
  a.level_shapes = {2, 3};
  ExpectFusedRefusal(a, "value must have shape [*, 6, *, *]");
  a = {};
  for (const std::vector<int64_t>& shape : std::vector<std::vector<int64_t>>{
           {3, 5, 2, 2}, {2, 4, 2, 2}, {2, 5, 1, 2}, {2, 5, 2, 4}}) {
    a.reference_points = at::empty(shape);
    ExpectFusedRefusal(a, "reference_points must have shape [2, 5, 2, 2]");
  }
  a.reference_points = at::empty(std::vector<int64_t>{});
  ExpectFusedRefusal(a, "reference_points must have shape [2, 5, 2, 2]");
  a = {};
  a.offsets = at::empty({2, 5, 3, 2, 6});
  ExpectFusedRefusal(a, "offsets must have shape [2, 5, 3, 2, 6, 2]");
  a = {};
  a.logits = at::empty({2, 5, 2, 2, 6});
  ExpectFusedRefusal(a, "logits must have shape [2, *, 3, 2, *]");
  a = {};
  a.grad_output = at::empty({2, 5, 11});
  ExpectRefusal([&] { a.CheckBackward(); },
                "grad_output must have shape [2, 5, 12]");
}

TEST(CheckMsDeformAttnFusedTest, OffsetsAndLogitsAreInFloatOrAsTheValue) {
  FusedArguments a;
  a.value = a.value.to(at::kHalf);
  EXPECT_EQ(a.Check().batch, 2);
  a.logits = a.logits.to(at::kHalf);
  ExpectFusedRefusal(a, "offsets must be Half on cpu");
  a.offsets = a.offsets.to(at::kHalf);
  EXPECT_EQ(a.Check().batch, 2);
  a.reference_points = a.reference_points.to(at::kHalf);
  ExpectFusedRefusal(a, "reference_points must be Float on cpu");
  a = {};
  a.logits = a.logits.to(at::kHalf);
  ExpectFusedRefusal(a,
                     "logits must be Float on cpu beside a Float value, got "
                     "Half on cpu");
  a = {};
  a.offsets = a.offsets.to(at::kMeta);
  ExpectFusedRefusal(a, "offsets must be Float on cpu");
}

TEST(CheckMsDeformAttnCudaLimitsTest, NamesTheSizePastItsLimit) {
  const MsDeformAttnSizes fits = {1, 6, 8, 32, 100, 3, 4};
  CheckMsDeformAttnCudaLimits(fits);
  const auto expect = [&](int64_t MsDeformAttnSizes::*size, int64_t value,
                          const std::string& message) {
    MsDeformAttnSizes sizes = fits;
    sizes.*size = value;
    ExpectRefusal([&] { CheckMsDeformAttnCudaLimits(sizes); }, message);
  };
  expect(
      &MsDeformAttnSizes::queries, 134217728,
      "deformable attention on CUDA: Q must be less than 134217728, got "
      "134217728 (B = 1, S = 6, M = 8, D = 32, Q = 134217728, L = 3, P = 4)");
  expect(&MsDeformAttnSizes::batch, 16777216,
         "B M must be less than 134217728");
  expect(&MsDeformAttnSizes::head_dim, 16777216, "M D must be less than");
  expect(&MsDeformAttnSizes::points, 1 << 30, "L P must be less than");
  expect(&MsDeformAttnSizes::levels, 33, "L must be less than 33, got 33");
  expect(&MsDeformAttnSizes::positions, 1 << 30, "S must be less than");
  expect(&MsDeformAttnSizes::heads, int64_t{1} << 62, "M must be less than");
}

TEST(CoordinateTypeTest, IsDoubleForDoubleOnly) {
  EXPECT_EQ(CoordinateType(at::kDouble), at::kDouble);
  EXPECT_EQ(CoordinateType(at::kFloat), at::kFloat);
  EXPECT_EQ(CoordinateType(at::kHalf), at::kFloat);
  EXPECT_EQ(CoordinateType(at::kBFloat16), at::kFloat);
}

}  // namespace
}  // namespace mask2former::ops
