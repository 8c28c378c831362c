#ifndef MASK2FORMER_COMMON_TESTING_GRADIENT_CHECK_H_
#define MASK2FORMER_COMMON_TESTING_GRADIENT_CHECK_H_

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace mask2former {

// Compares backward() with central differences, in double.
//
//   function  maps the inputs to one tensor; called many times, so keep inputs
//             to a few hundred elements
//   inputs    double; each element of each is varied by `step`
//
// The output is contracted with fixed random weights, so that one backward
// pass checks the whole Jacobian. Fails with the first element whose gradient
// differs by more than `tolerance`, absolute plus relative to the larger of the
// two.
testing::AssertionResult GradientsMatch(
    const std::function<at::Tensor(const std::vector<at::Tensor>&)>& function,
    const std::vector<at::Tensor>& inputs, double step = 1e-6,
    double tolerance = 1e-6);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_GRADIENT_CHECK_H_
