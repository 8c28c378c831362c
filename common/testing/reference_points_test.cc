#include "mask2former/common/testing/reference_points.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/reference_values.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;

TEST(ReferencePointSourceTest, NumbersItsDraws) {
  ReferencePointSource source;
  source.Draw(1, 3);
  const at::Tensor second = source.Draw(2, 5);
  EXPECT_EQ(source.num_draws(), 2);
  EXPECT_THAT(second.sizes(), ElementsAre(2, 5, 2));
  EXPECT_EQ(second.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(second.flatten(),
                        ReferenceUniform("rand1", 20).to(at::kFloat)));
}

}  // namespace
}  // namespace mask2former
