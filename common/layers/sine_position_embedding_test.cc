#include "mask2former/common/layers/sine_position_embedding.h"

#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(SinePositionEmbeddingTest, MatchesTheReference) {
  const at::Tensor embedding = SinePositionEmbedding(3, 5, 256, at::kFloat);
  ASSERT_THAT(embedding.sizes(), ElementsAre(1, 256, 3, 5));
  const auto at = [&](int64_t c, int64_t y, int64_t x) {
    return embedding[0][c][y][x].item<double>();
  };
  EXPECT_NEAR(at(0, 0, 0), 0.866026, 2e-6);
  EXPECT_NEAR(at(1, 0, 0), -0.499999, 2e-6);
  EXPECT_NEAR(at(2, 1, 3), -0.466871, 2e-6);
  EXPECT_NEAR(at(127, 2, 4), 1.000000, 2e-6);
  EXPECT_NEAR(at(128, 0, 0), 0.951056, 2e-6);
  EXPECT_NEAR(at(129, 0, 0), 0.309017, 2e-6);
  EXPECT_NEAR(at(130, 1, 3), -0.936045, 2e-6);
  EXPECT_NEAR(at(200, 2, 1), 0.014133, 2e-6);
  EXPECT_NEAR(embedding.sum(at::kDouble).item<double>(), 1864.776957, 1e-3);
}

TEST(SinePositionEmbeddingTest, TakesTheDtypeAsked) {
  const at::Tensor embedding = SinePositionEmbedding(2, 3, 8, at::kDouble);
  EXPECT_EQ(embedding.scalar_type(), at::kDouble);
  EXPECT_THAT(embedding, TensorNear(SinePositionEmbedding(2, 3, 8, at::kFloat),
                                    /*atol=*/0., /*rtol=*/0.));
}

TEST(SinePositionEmbeddingTest, SaysWhichSizeIsWrong) {
  EXPECT_THAT([] { SinePositionEmbedding(2, 3, 6, at::kFloat); },
              ThrowsMessage<c10::Error>(HasSubstr("multiple of 4, got 6")));
  EXPECT_THAT([] { SinePositionEmbedding(0, 3, 8, at::kFloat); },
              ThrowsMessage<c10::Error>(HasSubstr("positive, got 0 and 3")));
}

}  // namespace
}  // namespace mask2former
