#include "mask2former/transformer_decoder/attention_mask.h"

#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

at::Tensor Bools(std::initializer_list<int> values, at::IntArrayRef sizes) {
  return at::tensor(values).to(at::kBool).view(sizes);
}

TEST(BlockedCellsTest, ShrinksByTheMeanOfTheCentralFour) {
  // 4 x 8 -> 1 x 2: each cell is 4 x 4 and reads its central 2 x 2.
  at::Tensor logits = at::full({1, 1, 4, 8}, 100.f);
  at::Tensor left = logits.slice(2, 1, 3).slice(3, 1, 3);
  left.copy_(at::tensor({1.f, 2.f, 3.f, -6.5f}).view({1, 1, 2, 2}));
  at::Tensor right = logits.slice(2, 1, 3).slice(3, 5, 7);
  right.copy_(at::tensor({1.f, 2.f, 3.f, -5.5f}).view({1, 1, 2, 2}));
  EXPECT_THAT(BlockedCells(logits, 1, 2),
              TensorNear(Bools({1, 0}, {1, 1, 2}), 0., 0.));
}

TEST(BlockedCellsTest, ListsCellsRowByRow) {
  const at::Tensor logits =
      at::tensor({-1.f, 1.f, 1.f, -1.f, 1.f, -1.f}).view({1, 1, 2, 3});
  EXPECT_THAT(BlockedCells(logits, 2, 3),
              TensorNear(Bools({1, 0, 0, 1, 0, 1}, {1, 1, 6}), 0., 0.));
}

TEST(BlockedCellsTest, LetsTheRoundedSigmoidDecide) {
  const at::Tensor logits =
      at::tensor({-1e-8f, 0.f, -1e-6f, std::numeric_limits<float>::quiet_NaN()})
          .view({1, 1, 1, 4});
  EXPECT_THAT(BlockedCells(logits, 1, 4),
              TensorNear(Bools({0, 0, 1, 0}, {1, 1, 4}), 0., 0.));
}

TEST(BlockedCellsTest, RecordsNoGradient) {
  const at::Tensor logits = at::randn({1, 2, 4, 4}).requires_grad_();
  EXPECT_FALSE(BlockedCells(logits, 2, 2).requires_grad());
}

TEST(BlockedCellsTest, RejectsOtherShapes) {
  EXPECT_THAT(
      [] {
        BlockedCells(at::zeros({2, 4, 4}), 2, 2);
      },
      ThrowsMessage<c10::Error>(HasSubstr("mask_logits must have")));
}

TEST(AttendableCellsTest, OpensRowsThatAreBlockedEverywhere) {
  const at::Tensor blocked = Bools({1, 0, 1,   //
                                    1, 1, 1,   //
                                    0, 0, 0,   //
                                    1, 1, 0},  //
                                   {2, 2, 3});
  const at::Tensor attendable = AttendableCells(blocked);
  EXPECT_THAT(attendable.sizes(), ElementsAre(2, 1, 2, 3));
  EXPECT_THAT(attendable, TensorNear(Bools({0, 1, 0,   //
                                            1, 1, 1,   //
                                            1, 1, 1,   //
                                            0, 0, 1},  //
                                           {2, 1, 2, 3}),
                                     0., 0.));
  // The argument stays as it was.
  EXPECT_EQ(blocked.sum().item<int64_t>(), 7);
}

}  // namespace
}  // namespace mask2former
