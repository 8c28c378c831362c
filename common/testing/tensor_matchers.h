#ifndef MASK2FORMER_COMMON_TESTING_TENSOR_MATCHERS_H_
#define MASK2FORMER_COMMON_TESTING_TENSOR_MATCHERS_H_

// GoogleTest matchers for tensors.

#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>

#include <string>

namespace mask2former {
namespace testing_internal {

// Empty if equal within tolerance, else where and by how much they differ.
std::string ExplainDifference(const at::Tensor& actual,
                              const at::Tensor& expected, double atol,
                              double rtol);

}  // namespace testing_internal

// Same sizes, and |actual - expected| <= atol + rtol |expected| everywhere.
// NaN equals NaN. dtypes may differ: both are compared in double.
MATCHER_P3(TensorNear, expected, atol, rtol,
           "is near a tensor, atol " + ::testing::PrintToString(atol) +
               ", rtol " + ::testing::PrintToString(rtol)) {
  const std::string difference =
      testing_internal::ExplainDifference(arg, expected, atol, rtol);
  *result_listener << difference;
  return difference.empty();
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_TENSOR_MATCHERS_H_
