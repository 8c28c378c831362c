#include "mask2former/model/panoptic_inference.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "mask2former/model/testing/inference_example.h"

namespace mask2former {
namespace {

constexpr ImageSize kSize = {4, 4};

PanopticOptions Options(double overlap_threshold) {
  PanopticOptions options;
  options.overlap_threshold = overlap_threshold;
  options.is_thing = {false, false, true};
  return options;
}

at::Tensor Map(std::vector<int> values) {
  return at::tensor(values, at::kInt).view({4, 4});
}

TEST(PanopticInferenceTest, EqualsTheSpecificationsExample) {
  const PanopticPrediction result = PanopticInference(
      InferenceExample(), 0, kSize, kSize, kSize, Options(0.8));
  EXPECT_TRUE(at::equal(result.ids,
                        Map({0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 2, 0, 0, 0, 2})))
      << result.ids;
  ASSERT_EQ(result.segments.size(), 2);
  EXPECT_EQ(result.segments[0].id, 1);
  EXPECT_TRUE(result.segments[0].is_thing);
  EXPECT_EQ(result.segments[0].category, 2);
  EXPECT_NEAR(result.segments[0].score, .9926, 5e-5);
  EXPECT_EQ(result.segments[1].id, 2);
  EXPECT_FALSE(result.segments[1].is_thing);
  EXPECT_EQ(result.segments[1].category, 0);
}

TEST(PanopticInferenceTest, StuffOfOneClassIsOneSegment) {
  const PanopticPrediction result = PanopticInference(
      InferenceExample(), 0, kSize, kSize, kSize, Options(0.5));
  EXPECT_TRUE(at::equal(result.ids,
                        Map({1, 1, 1, 1, 3, 3, 1, 1, 3, 3, 2, 1, 2, 2, 2, 1})))
      << result.ids;
  ASSERT_EQ(result.segments.size(), 3);
  EXPECT_EQ(result.segments[0].category, 0);
  EXPECT_EQ(result.segments[1].category, 1);
  EXPECT_EQ(result.segments[2].category, 2);
}

TEST(PanopticInferenceTest, NothingSureEnoughIsAnEmptyMap) {
  PanopticOptions options = Options(0.8);
  options.object_mask_threshold = 0.9999;
  const PanopticPrediction result =
      PanopticInference(InferenceExample(), 0, kSize, kSize, {8, 6}, options);
  EXPECT_TRUE(result.segments.empty());
  EXPECT_TRUE(at::equal(result.ids, at::zeros({8, 6}, at::kInt)));
}

// The definition, with all masks at once.
at::Tensor Naive(const MaskPrediction& prediction, int64_t index,
                 const PanopticOptions& options) {
  const auto resize = [](const at::Tensor& maps, int64_t h, int64_t w) {
    return at::upsample_bilinear2d(maps.unsqueeze(0), {h, w}, false).squeeze(0);
  };
  const at::Tensor masks = resize(resize(prediction.mask_logits[index], 32, 64)
                                      .slice(1, 0, 30)
                                      .slice(2, 0, 50),
                                  45, 75)
                               .sigmoid();
  const auto [scores, labels] =
      prediction.class_logits[index].softmax(-1).max(-1);
  const at::Tensor kept =
      at::logical_and(labels.ne(prediction.class_logits.size(-1) - 1),
                      scores.gt(options.object_mask_threshold));
  const at::Tensor which = kept.nonzero().flatten();
  at::Tensor ids = at::zeros({45, 75}, at::kInt);
  if (which.numel() == 0) return ids;
  const at::Tensor m = masks.index_select(0, which);
  const at::Tensor owner =
      (scores.index_select(0, which).view({-1, 1, 1}) * m).argmax(0);
  std::map<int64_t, int> stuff;
  int last = 0;
  for (int64_t k = 0; k < which.numel(); ++k) {
    const int64_t label = labels[which[k].item<int64_t>()].item<int64_t>();
    const at::Tensor mine = owner.eq(k);
    const at::Tensor whole = m[k].ge(0.5);
    const at::Tensor region = mine.logical_and(whole);
    const double area = mine.sum().item<double>();
    const double original = whole.sum().item<double>();
    if (area == 0 || original == 0 || region.sum().item<double>() == 0)
      continue;
    if (area / original < options.overlap_threshold) continue;
    const bool known = !options.is_thing[label] && stuff.count(label) > 0;
    const int id = known ? stuff[label] : ++last;
    if (!options.is_thing[label]) stuff[label] = id;
    ids.masked_fill_(region, id);
  }
  return ids;
}

TEST(PanopticInferenceTest, EqualsTheDefinitionOnRandomPredictions) {
  at::manual_seed(5);
  PanopticOptions options;
  options.object_mask_threshold = 0.5;
  options.overlap_threshold = 0.3;
  options.is_thing = {false, true, false, true, true};
  int64_t segments = 0;
  for (int i = 0; i < 20; ++i) {
    const MaskPrediction prediction = {4 * at::randn({2, 23, 6}),
                                       3 * at::randn({2, 23, 8, 16}) - 2};
    const PanopticPrediction result =
        PanopticInference(prediction, 1, {32, 64}, {30, 50}, {45, 75}, options);
    EXPECT_TRUE(at::equal(result.ids, Naive(prediction, 1, options))) << i;
    segments += static_cast<int64_t>(result.segments.size());
  }
  EXPECT_GT(segments, 40) << "or this test says little";
}

TEST(PanopticInferenceTest, RefusesAnotherNumberOfClasses) {
  PanopticOptions options;
  options.is_thing = {true};
  EXPECT_THROW(
      PanopticInference(InferenceExample(), 0, kSize, kSize, kSize, options),
      c10::Error);
}

}  // namespace
}  // namespace mask2former
