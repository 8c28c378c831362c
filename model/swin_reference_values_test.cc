// The assembled Swin-T model against the official code, as
// reference_values_test.cc does for R50.

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/semantic_inference.h"

namespace mask2former {
namespace {

// mean, mean of absolute values, first, middle, last element.
void ExpectStatistics(const std::string& name, const at::Tensor& tensor,
                      const std::vector<double>& expected, double tolerance) {
  const std::vector<double> actual = Statistics(tensor);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], tolerance) << name << ", entry " << i;
  }
}

TEST(SwinReferenceValuesTest, EveryStageEqualsTheOfficialCode) {
  const at::NoGradGuard no_grad;
  const auto built = BuildSegmentor(ParseTextProtoOrDie<ModelConfig>(R"pb(
    backbone { swin {} }
    pixel_decoder { ms_deform_attn {} }
    transformer_decoder { masked_attention {} }
  )pb"));
  ASSERT_THAT(built, IsOk());
  Segmentor& model = **built;
  FillWithReferenceValues(model, "s2:");
  model.eval();
  int64_t count = 0;
  for (const at::Tensor& parameter : model.parameters()) {
    count += parameter.numel();
  }
  EXPECT_EQ(count, 47405966);
  // All but criterion.empty_weight.
  EXPECT_EQ(model.named_parameters().size() + model.named_buffers().size(),
            481);

  const PreparedImages input =
      model.Prepare({ReferenceImage("image0", 90, 150)});
  const PixelDecoderOutput pixels =
      model.pixel_decoder()->forward(model.backbone()->forward(input.images));
  ExpectStatistics("mask_features", pixels.mask_features,
                   {0.050941, 0.564240, -0.42434, -0.25625, 0.32195}, 8e-5);
  const MaskPrediction prediction =
      model.transformer_decoder()
          ->forward(pixels.levels, pixels.mask_features)
          .back();
  ExpectStatistics("final logits", prediction.class_logits,
                   {0.328803, 1.081173, 0.60835, 0.08726, -0.15925}, 2e-4);
  ExpectStatistics("final masks", prediction.mask_logits,
                   {-4.431253, 5.024696, -1.94668, -4.49064, -1.30876}, 2e-4);
  const at::Tensor scores =
      SemanticInference(prediction, 0, {96, 160}, input.sizes[0], {45, 75});
  ExpectStatistics("sem_seg", scores,
                   {0.638034, 0.638034, 0.55673, 0.14564, 0.00626}, 2e-4);
  const at::Tensor labels = scores.argmax(0);
  EXPECT_EQ(labels.eq(5).sum().item<int64_t>(), 1793);
  EXPECT_EQ(labels.eq(15).sum().item<int64_t>(), 1582);
  EXPECT_EQ(labels.numel(), 1793 + 1582);
}

}  // namespace
}  // namespace mask2former
