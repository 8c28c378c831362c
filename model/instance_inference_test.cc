#include "mask2former/model/instance_inference.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <map>

#include "mask2former/model/testing/inference_example.h"

namespace mask2former {
namespace {

constexpr ImageSize kSize = {4, 4};

TEST(InstanceInferenceTest, EqualsTheSpecificationsExample) {
  InstanceOptions options;
  options.top_k = 5;
  options.is_thing = {false, false, true};
  const std::vector<InstancePrediction> instances =
      InstanceInference(InferenceExample(), 0, kSize, kSize, kSize, options);
  ASSERT_EQ(instances.size(), 2);
  const double kScores[] = {.9902, .9455};
  const int64_t kAreas[] = {4, 6};
  for (int i = 0; i < 2; ++i) {
    EXPECT_NEAR(instances[i].score, kScores[i], 6e-5) << i;
    EXPECT_EQ(instances[i].category, 2) << i;
    EXPECT_EQ(instances[i].query, 2 + i) << i;
    EXPECT_EQ(instances[i].mask->area(), kAreas[i]) << i;
  }
}

// The definition, with all masks at once.
at::Tensor NaiveLogits(const MaskPrediction& prediction, int64_t index) {
  const auto resize = [](const at::Tensor& maps, int64_t h, int64_t w) {
    return at::upsample_bilinear2d(maps.unsqueeze(0), {h, w}, false).squeeze(0);
  };
  return resize(resize(prediction.mask_logits[index], 32, 64)
                    .slice(1, 0, 30)
                    .slice(2, 0, 50),
                45, 75);
}

std::map<int64_t, double> Naive(const MaskPrediction& prediction, int64_t index,
                                int64_t top_k) {
  const at::Tensor logits = NaiveLogits(prediction, index);
  const at::Tensor binary = logits.gt(0).to(at::kFloat);
  const at::Tensor quality = (logits.sigmoid() * binary).flatten(1).sum(1) /
                             (binary.flatten(1).sum(1) + 1e-6);
  const auto [scores, pairs] =
      prediction.class_logits[index].softmax(-1).slice(1, 0, -1).flatten().topk(
          top_k);
  std::map<int64_t, double> result;
  for (int64_t i = 0; i < top_k; ++i) {
    const int64_t pair = pairs[i].item<int64_t>();
    result[pair] = scores[i].item<double>() * quality[pair / 5].item<double>();
  }
  return result;
}

TEST(InstanceInferenceTest, EqualsTheDefinitionOnRandomPredictions) {
  at::manual_seed(5);
  const MaskPrediction prediction = {4 * at::randn({2, 23, 6}),
                                     3 * at::randn({2, 23, 8, 16})};
  InstanceOptions options;
  options.top_k = 40;  // More than queries.
  const std::vector<InstancePrediction> instances =
      InstanceInference(prediction, 1, {32, 64}, {30, 50}, {45, 75}, options);
  const std::map<int64_t, double> expected = Naive(prediction, 1, 40);
  const at::Tensor expected_masks = NaiveLogits(prediction, 1).gt(0);
  ASSERT_EQ(instances.size(), 40);
  for (size_t i = 0; i < instances.size(); ++i) {
    const auto found =
        expected.find(instances[i].query * 5 + instances[i].category);
    ASSERT_NE(found, expected.end()) << i;
    EXPECT_NEAR(instances[i].score, found->second, 1e-6) << i;
    if (i > 0) {
      EXPECT_LE(instances[i].score, instances[i - 1].score) << i;
    }
    ASSERT_NE(instances[i].mask, nullptr);
    EXPECT_TRUE(at::equal(DecodeMask(*instances[i].mask),
                          expected_masks[instances[i].query]))
        << i;
  }
}

TEST(InstanceInferenceTest, InstancesOfOneQueryShareAMask) {
  InstanceOptions options;
  options.top_k = 18;
  const std::vector<InstancePrediction> instances =
      InstanceInference(InferenceExample(), 0, kSize, kSize, kSize, options);
  std::map<int64_t, const RunLengthMask*> masks;
  for (const InstancePrediction& instance : instances) {
    const RunLengthMask* const mask = instance.mask.get();
    EXPECT_EQ(masks.emplace(instance.query, mask).first->second, mask);
  }
  EXPECT_EQ(masks.size(), 6);
}

TEST(EncodeMaskTest, GivesBackWhatItGot) {
  const at::Tensor mask = at::rand({30, 50}).gt(0.5);
  EXPECT_TRUE(at::equal(DecodeMask(EncodeMask(mask)), mask));
  // A view, not contiguous.
  EXPECT_TRUE(at::equal(DecodeMask(EncodeMask(mask.t())), mask.t()));
  EXPECT_THROW(EncodeMask(mask.to(at::kByte)), c10::Error);
  EXPECT_THROW(EncodeMask(mask[0]), c10::Error);
}

TEST(InstanceInferenceTest, FewerPairsThanAskedFor) {
  InstanceOptions options;
  options.top_k = 1000;
  EXPECT_EQ(
      InstanceInference(InferenceExample(), 0, kSize, kSize, kSize, options)
          .size(),
      18);
}

}  // namespace
}  // namespace mask2former
