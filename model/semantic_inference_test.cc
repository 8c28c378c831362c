#include "mask2former/model/semantic_inference.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/model/testing/inference_example.h"

namespace mask2former {
namespace {

TEST(SemanticInferenceTest, EqualsTheSpecificationsExample) {
  const ImageSize size = {4, 4};
  const at::Tensor scores =
      SemanticInference(InferenceExample(), 0, size, size, size);
  ASSERT_EQ(scores.sizes(), (std::vector<int64_t>{3, 4, 4}));
  const double kTopLeft[] = {.9952, .0229, .0407};
  const double kInside[] = {1.0088, .9798, .0431};
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(scores[c][0][0].item<double>(), kTopLeft[c], 6e-5) << c;
    EXPECT_NEAR(scores[c][2][3].item<double>(), kInside[c], 6e-5) << c;
  }
}

// The definition, with all masks at once.
at::Tensor Naive(const MaskPrediction& prediction, int64_t index,
                 bool resize_before_scores) {
  const auto resize = [](const at::Tensor& maps, int64_t h, int64_t w) {
    return at::upsample_bilinear2d(maps.unsqueeze(0), {h, w}, false).squeeze(0);
  };
  const auto crop = [](const at::Tensor& maps) {
    return maps.slice(1, 0, 30).slice(2, 0, 50);
  };
  at::Tensor masks = resize(prediction.mask_logits[index], 32, 64);
  if (resize_before_scores) masks = resize(crop(masks), 45, 75);
  const at::Tensor probabilities =
      prediction.class_logits[index].softmax(-1).slice(1, 0, -1);
  const at::Tensor scores =
      at::einsum("qc,qhw->chw", {probabilities, masks.sigmoid()});
  return resize_before_scores ? scores : resize(crop(scores), 45, 75);
}

TEST(SemanticInferenceTest, EqualsTheDefinitionInBothOrders) {
  at::manual_seed(1);
  // More queries than are worked on at once, and not a multiple.
  const MaskPrediction prediction = {at::randn({2, 37, 6}),
                                     3 * at::randn({2, 37, 8, 16})};
  for (const bool before : {false, true}) {
    const at::Tensor scores =
        SemanticInference(prediction, 1, {32, 64}, {30, 50}, {45, 75}, before);
    EXPECT_THAT(scores, TensorNear(Naive(prediction, 1, before), 1e-5, 1e-5));
  }
  EXPECT_FALSE(at::allclose(Naive(prediction, 1, false),
                            Naive(prediction, 1, true), 1e-3, 1e-3))
      << "the two orders must differ, or this test says nothing";
}

}  // namespace
}  // namespace mask2former
