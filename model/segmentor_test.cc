#include "mask2former/model/segmentor.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/testing/tiny_model_config.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::shared_ptr<Segmentor> Tiny(const std::string& more = "") {
  ModelConfig config = TinyModelConfig();
  config.set_num_classes(3);
  config.MergeFrom(ParseTextProtoOrDie<ModelConfig>(more));
  auto segmentor = BuildSegmentor(config);
  EXPECT_THAT(segmentor, IsOk());
  return *segmentor;
}

TEST(SegmentorTest, NormalisesThenPadsWithZero) {
  const auto model = Tiny("pixel_mean: [1, 2, 3] pixel_std: [2, 4, 8]");
  const at::Tensor image = at::full({3, 20, 33}, 11, at::kByte);
  const PreparedImages prepared =
      model->Prepare({image, at::zeros({3, 40, 10})});
  ASSERT_THAT(prepared.images.sizes(), ElementsAre(2, 3, 64, 64));
  EXPECT_EQ(prepared.sizes[0].height, 20);
  EXPECT_EQ(prepared.sizes[0].width, 33);
  const at::Tensor first = prepared.images[0];
  EXPECT_FLOAT_EQ(first[0][19][32].item<float>(), 5);
  EXPECT_FLOAT_EQ(first[1][0][0].item<float>(), 2.25);
  EXPECT_FLOAT_EQ(first[2][0][0].item<float>(), 1);
  EXPECT_EQ(first.slice(1, 20).abs().sum().item<float>(), 0);
  EXPECT_EQ(first.slice(2, 33).abs().sum().item<float>(), 0);
  EXPECT_FLOAT_EQ(prepared.images[1][0][39][9].item<float>(), -.5);
}

TEST(SegmentorTest, PadsToTheSizeAsked) {
  const PreparedImages prepared =
      Tiny()->Prepare({at::zeros({3, 20, 20})}, {33, 65});
  EXPECT_THAT(prepared.images.sizes(), ElementsAre(1, 3, 64, 96));
}

TEST(SegmentorTest, SaysWhatAnImageMustLookLike) {
  const auto model = Tiny();
  EXPECT_THAT(
      [&] {
        model->Prepare({at::zeros({20, 20, 3})});
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("image must have shape [3, *, *], got")));
  EXPECT_THAT([&] { model->Prepare({}); },
              ThrowsMessage<c10::Error>(HasSubstr("at least one image")));
}

TEST(SegmentorTest, ReturnsOnePredictionPerLayerAndTrainsEveryParameter) {
  at::manual_seed(1);
  const auto model = Tiny();
  const auto predictions = model->forward(at::randn({2, 3, 64, 96}));
  ASSERT_EQ(predictions.size(), 3);
  at::Tensor sum = at::zeros({});
  for (const MaskPrediction& prediction : predictions) {
    EXPECT_THAT(prediction.class_logits.sizes(), ElementsAre(2, 6, 4));
    EXPECT_THAT(prediction.mask_logits.sizes(), ElementsAre(2, 6, 16, 24));
    sum = sum + prediction.class_logits.square().sum() +
          prediction.mask_logits.square().sum();
  }
  sum.backward();
  for (const auto& item : model->named_parameters()) {
    EXPECT_TRUE(item.value().grad().defined()) << item.key();
  }
}

TEST(SegmentorTest, PredictFinalIsTheLastPrediction) {
  at::manual_seed(1);
  c10::NoGradGuard no_grad;
  const auto model = Tiny();
  model->eval();
  const at::Tensor images = at::randn({1, 3, 64, 64});
  const MaskPrediction last = model->forward(images).back();
  const MaskPrediction exact = model->PredictFinal(images, false);
  EXPECT_THAT(exact.mask_logits, TensorNear(last.mask_logits, 0., 0.));
  const MaskPrediction quick = model->PredictFinal(images, true);
  EXPECT_THAT(quick.class_logits, TensorNear(last.class_logits, 1e-4, 1e-4));
}

TEST(PadTargetsTest, PadsMasksRightAndBelow) {
  MaskTarget target{at::tensor({4}, at::kLong), at::ones({1, 2, 3}, at::kBool)};
  MaskTarget none{at::zeros({0}, at::kLong), at::zeros({0, 2, 2}, at::kBool)};
  const auto padded = PadTargets({target, none}, 4, 5);
  ASSERT_THAT(padded[0].masks.sizes(), ElementsAre(1, 4, 5));
  EXPECT_EQ(padded[0].masks.scalar_type(), at::kBool);
  EXPECT_EQ(padded[0].masks.sum().item<int>(), 6);
  EXPECT_TRUE(padded[0].masks[0][1][2].item<bool>());
  EXPECT_THAT(padded[1].masks.sizes(), ElementsAre(0, 4, 5));
  EXPECT_THAT([&] { PadTargets({target}, 1, 5); },
              ThrowsMessage<c10::Error>(HasSubstr("do not fit")));
}

}  // namespace
}  // namespace mask2former
