#include "mask2former/common/tensor_shape.h"

#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(CheckShapeTest, AcceptsEqualAndAnySizes) {
  EXPECT_NO_THROW(CheckShape(at::zeros({2, 3}), "x", {2, kAny}));
  EXPECT_NO_THROW(CheckShape(at::zeros({0, 3}), "x", {0, 3}));
}

TEST(CheckShapeTest, NamesTensorAndBothShapes) {
  EXPECT_THAT(
      [] {
        CheckShape(at::zeros({2, 3}), "x", {kAny, 4});
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("x must have shape [*, 4], got [2, 3]")));
  EXPECT_THAT(
      [] {
        CheckShape(at::zeros({2}), "x", {2, 1});
      },
      ThrowsMessage<c10::Error>(HasSubstr("got [2]")));
  EXPECT_THAT([] { CheckShape(at::Tensor(), "x", {1}); },
              ThrowsMessage<c10::Error>(HasSubstr("undefined")));
}

}  // namespace
}  // namespace mask2former
