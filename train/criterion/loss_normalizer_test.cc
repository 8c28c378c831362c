#include "mask2former/train/criterion/loss_normalizer.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mask2former {
namespace {

using ::testing::ElementsAre;

TEST(LossNormalizerTest, CountsTargetsAndWeighsQueries) {
  const LossNormalizer normalizer = NormalizeByBatch({4, 0, 3}, 100, 0.1);
  EXPECT_DOUBLE_EQ(normalizer.num_masks, 7);
  EXPECT_DOUBLE_EQ(normalizer.class_weight_sum, 7 + 293 * 0.1);
}

TEST(LossNormalizerTest, TargetsBeyondTheQueriesCountAsMasksOnly) {
  const LossNormalizer normalizer = NormalizeByBatch({9, 1}, 5, 0.1);
  EXPECT_DOUBLE_EQ(normalizer.num_masks, 10);
  EXPECT_DOUBLE_EQ(normalizer.class_weight_sum, 6 + 4 * 0.1);
}

TEST(LossNormalizerTest, WithoutTargetsDividesMasksByOne) {
  const LossNormalizer normalizer = NormalizeByBatch({0, 0}, 5, 0.1);
  EXPECT_DOUBLE_EQ(normalizer.num_masks, 1);
  EXPECT_DOUBLE_EQ(normalizer.class_weight_sum, 1);
}

TEST(LossNormalizerTest, CountsTheTargetsOfEveryImage) {
  EXPECT_THAT(TargetCounts({{at::zeros({3}), at::zeros({3, 2, 2})},
                            {at::zeros({0}), at::zeros({0, 2, 2})}}),
              ElementsAre(3, 0));
}

}  // namespace
}  // namespace mask2former
