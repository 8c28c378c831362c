#include "mask2former/common/testing/dispatched_operator.h"

#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/library.h>

namespace mask2former {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

at::Tensor First(const at::Tensor& a, int64_t /*b*/) { return a; }

TORCH_LIBRARY_FRAGMENT(mask2former, m) {
  m.def("dispatched_operator_test(Tensor a, int b) -> Tensor");
  m.def("dispatched_operator_test_without_kernels(Tensor a) -> Tensor");
}

TORCH_LIBRARY_IMPL(mask2former, CPU, m) {
  m.impl("dispatched_operator_test", &First);
}

TEST(DispatchedOperatorTest, KnowsSchemasAndKernels) {
  EXPECT_EQ(SchemaOf("mask2former::dispatched_operator_test"),
            "mask2former::dispatched_operator_test(Tensor a, int b) -> Tensor");
  EXPECT_THAT(KernelsOf("mask2former::dispatched_operator_test"),
              ElementsAre("CPU"));
  EXPECT_THAT(
      KernelsOf("mask2former::dispatched_operator_test_without_kernels"),
      IsEmpty());
  EXPECT_THROW(SchemaOf("mask2former::no_such_operator"), c10::Error);
}

TEST(DispatchedOperatorTest, KnowsThisBuild) {
  EXPECT_THAT(KernelsOfThisBuild(),
              AnyOf(ElementsAre("Autograd", "CPU"),
                    ElementsAre("Autograd", "CPU", "CUDA")));
}

TEST(DispatchedOperatorTest, CallsByName) {
  const at::Tensor a = at::ones({2});
  const auto results =
      CallByName("mask2former::dispatched_operator_test", {a, 3});
  ASSERT_EQ(results.size(), 1);
  EXPECT_TRUE(results[0].toTensor().is_same(a));
}

}  // namespace
}  // namespace mask2former
