#include "mask2former/model/semantic_labels.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "mask2former/model/semantic_inference.h"
#include "mask2former/model/semantic_labels_in_bands.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Case {
  std::string name;
  int64_t queries, classes, height, width;  // Of the masks.
  ImageSize padded, image, output;
};

class SemanticLabelsTest : public testing::TestWithParam<Case> {};

MaskPrediction RandomPrediction(const Case& c) {
  at::manual_seed(3);
  return {2 * at::randn({2, c.queries, c.classes + 1}),
          4 * at::randn({2, c.queries, c.height, c.width})};
}

TEST_P(SemanticLabelsTest, TakeTheClassWithTheHighestScore) {
  const Case& c = GetParam();
  const MaskPrediction prediction = RandomPrediction(c);
  for (const bool resize_before_scores : {false, true}) {
    const at::Tensor labels = SemanticLabels(prediction, 1, c.padded, c.image,
                                             c.output, resize_before_scores);
    const at::Tensor scores = SemanticInference(
        prediction, 1, c.padded, c.image, c.output, resize_before_scores);
    ASSERT_EQ(labels.scalar_type(), at::kByte);
    ASSERT_EQ(labels.sizes(), scores.sizes().slice(1));
    ASSERT_LT(labels.max().item<int64_t>(), c.classes);
    const at::Tensor taken =
        scores.gather(0, labels.to(at::kLong).unsqueeze(0)).squeeze(0);
    // Sums of up to 100 terms, in another order.
    EXPECT_LE((scores.amax(0) - taken).max().item<float>(), 2e-5);
    // Where no second class is as near as that, the labels are the same.
    const at::Tensor two =
        std::get<0>(scores.topk(std::min<int64_t>(2, c.classes), 0));
    const at::Tensor sure = two[0] - two[-1] > 4e-5;
    const at::Tensor same = labels.eq(scores.argmax(0));
    if (c.classes > 1) {
      EXPECT_TRUE(same.masked_select(sure).all().item<bool>());
      EXPECT_GT(sure.to(at::kFloat).mean().item<float>(), 0.99);
    }
    EXPECT_TRUE(SemanticLabelsInBands(prediction, 1, c.padded, c.image,
                                      c.output, resize_before_scores)
                    .eq(labels)
                    .logical_or(sure.logical_not())
                    .all()
                    .item<bool>());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, SemanticLabelsTest,
    testing::Values(
        Case{"NoPadding", 100, 19, 8, 16, {32, 64}, {32, 64}, {32, 64}},
        Case{"CroppedColumns", 7, 3, 8, 16, {32, 64}, {32, 50}, {32, 50}},
        Case{"CroppedRows", 7, 3, 8, 16, {32, 64}, {29, 64}, {29, 64}},
        Case{"ManyTiles", 100, 5, 16, 512, {64, 2048}, {64, 2048}, {64, 2048}},
        Case{"OtherStride", 5, 4, 8, 16, {64, 48}, {61, 41}, {61, 41}},
        Case{"OneMaskPixel", 2, 2, 1, 1, {4, 4}, {3, 4}, {3, 4}},
        Case{"OneClass", 2, 1, 2, 2, {8, 8}, {8, 8}, {8, 8}},
        Case{"OtherOutput", 9, 6, 8, 8, {32, 32}, {30, 31}, {45, 17}},
        Case{"LargerOutput", 100, 19, 8, 16, {32, 64}, {32, 64}, {125, 250}},
        Case{"SmallerOutput", 20, 19, 16, 16, {64, 64}, {60, 64}, {7, 9}},
        Case{"CroppedLargerOutput", 20, 5, 8, 16, {32, 64}, {29, 50}, {90, 51}},
        Case{"OneRow", 3, 4, 2, 2, {8, 8}, {1, 8}, {5, 1}}),
    [](const auto& info) { return info.param.name; });

TEST(SemanticLabelsEdgeTest, GivesTiesToTheLowestClass) {
  const MaskPrediction prediction = {at::zeros({1, 4, 4}),
                                     at::zeros({1, 4, 2, 2})};
  EXPECT_EQ(SemanticLabels(prediction, 0, {8, 8}, {8, 8}, {8, 8})
                .sum()
                .item<int64_t>(),
            0);
}

TEST(SemanticLabelsEdgeTest, RecordsNoGradient) {
  MaskPrediction prediction = {at::zeros({1, 4, 4}), at::zeros({1, 4, 2, 2})};
  prediction.class_logits.requires_grad_();
  prediction.mask_logits.requires_grad_();
  EXPECT_FALSE(
      SemanticLabels(prediction, 0, {8, 8}, {8, 8}, {8, 8}).requires_grad());
}

TEST(SemanticLabelsEdgeTest, RefusesMoreClassesThanAByteHas) {
  const MaskPrediction prediction = {at::zeros({1, 1, 258}),
                                     at::zeros({1, 1, 2, 2})};
  EXPECT_THAT(
      [&] {
        SemanticLabels(prediction, 0, {8, 8}, {8, 8}, {8, 8});
      },
      ThrowsMessage<c10::Error>(HasSubstr("got 257")));
}

}  // namespace
}  // namespace mask2former
