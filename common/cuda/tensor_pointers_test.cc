#include "mask2former/common/cuda/tensor_pointers.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <type_traits>

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

uintptr_t AddressOf(const at::Tensor& tensor) {
  return reinterpret_cast<uintptr_t>(tensor.const_data_ptr());
}

TEST(PackedTest, LeavesWhatFits) {
  const at::Tensor tensor = at::arange(8.f);
  EXPECT_EQ(AddressOf(Packed(tensor)), AddressOf(tensor));
  const at::Tensor four_behind = tensor.narrow(0, 4, 4);
  EXPECT_EQ(AddressOf(Packed(four_behind)), AddressOf(four_behind));
}

TEST(PackedTest, CopiesWhatBeginsBetweenVectors) {
  const at::Tensor tensor = at::arange(8.f).narrow(0, 1, 5);
  ASSERT_TRUE(tensor.is_contiguous());
  ASSERT_NE(AddressOf(tensor) % 16, 0);
  const at::Tensor packed = Packed(tensor);
  EXPECT_EQ(AddressOf(packed) % 16, 0);
  EXPECT_TRUE(packed.equal(tensor));
}

TEST(PackedTest, CopiesWhatIsNotContiguous) {
  const at::Tensor tensor = at::arange(12.f).view({3, 4}).t();
  const at::Tensor packed = Packed(tensor);
  EXPECT_TRUE(packed.is_contiguous());
  EXPECT_TRUE(packed.equal(tensor));
}

TEST(DispatchTypeTest, GivesANumberOfTheTensorsType) {
  for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16}) {
    const at::Tensor tensor = at::zeros({1}, type);
    tensor.fill_(1.5);
    int runs = 0;
    DispatchType(tensor, "x", [&](auto number) {
      using scalar_t = decltype(number);
      EXPECT_EQ(c10::CppTypeToScalarType<scalar_t>::value, type);
      EXPECT_EQ(ToFloat(*Read<scalar_t>(tensor)), 1.5f);
      *Write<scalar_t>(tensor) = FromFloat<KernelType<scalar_t>>(2.5f);
      ++runs;
    });
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(tensor.item<float>(), 2.5f);
  }
}

TEST(DispatchTypeTest, RefusesOthersByName) {
  EXPECT_THAT(
      [] { DispatchType(at::zeros({1}, at::kDouble), "x", [](auto) {}); },
      ThrowsMessage<c10::Error>(
          HasSubstr("x must be Float, Half or BFloat16 on CUDA, got Double")));
}

}  // namespace
}  // namespace mask2former
