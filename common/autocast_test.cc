#include "mask2former/common/autocast.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

namespace mask2former {
namespace {

at::ScalarType TypeOfProduct() {
  return at::mm(at::ones({2, 2}), at::ones({2, 2})).scalar_type();
}

TEST(ScalarTypeOfTest, IsTheTypeOfEachPrecision) {
  EXPECT_EQ(ScalarTypeOf(Precision::kFloat32), at::kFloat);
  EXPECT_EQ(ScalarTypeOf(Precision::kFloat16), at::kHalf);
  EXPECT_EQ(ScalarTypeOf(Precision::kBFloat16), at::kBFloat16);
}

TEST(AutocastGuardTest, ProductsAreInThePrecisionWhileItLives) {
  const at::ScalarType before = at::autocast::get_autocast_dtype(at::kCPU);
  {
    const AutocastGuard guard(at::kCPU, Precision::kFloat16);
    EXPECT_EQ(TypeOfProduct(), at::kHalf);
    {
      const AutocastGuard inner(at::kCPU, Precision::kBFloat16);
      EXPECT_EQ(TypeOfProduct(), at::kBFloat16);
    }
    EXPECT_EQ(TypeOfProduct(), at::kHalf);
  }
  EXPECT_EQ(TypeOfProduct(), at::kFloat);
  EXPECT_EQ(at::autocast::get_autocast_dtype(at::kCPU), before);
}

TEST(AutocastGuardTest, Float32ChangesNothing) {
  const AutocastGuard guard(at::kCPU, Precision::kFloat32);
  EXPECT_EQ(TypeOfProduct(), at::kFloat);
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
}

}  // namespace
}  // namespace mask2former
