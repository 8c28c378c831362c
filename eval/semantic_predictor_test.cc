#include "mask2former/eval/semantic_predictor.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include <memory>
#include <opencv2/core.hpp>
#include <utility>

#include "mask2former/data/image_tensor.h"
#include "mask2former/eval/testing/color_segmentor.h"
#include "mask2former/model/segmentor.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;

// 30 x 50: road on the left, sky from column 24 on.
cv::Mat Picture() {
  cv::Mat classes(30, 50, CV_8UC1, cv::Scalar(0));
  classes.colRange(24, 50).setTo(10);
  return PaintClasses(classes);
}

class SemanticPredictorTest : public testing::Test {
 protected:
  SemanticPredictorTest() { segmentor_->eval(); }

  std::shared_ptr<Segmentor> segmentor_ = MakeColorSegmentor();
  const at::Tensor image_ = ImageToTensor(Picture());
};

TEST_F(SemanticPredictorTest, LabelsEveryPixelOfThePicture) {
  const SemanticPrediction result =
      PredictSemantic(*segmentor_, {}, image_, {30, 50});
  EXPECT_EQ(result.image, (ImageSize{30, 50}));
  EXPECT_EQ(result.padded, (ImageSize{32, 64}));
  EXPECT_THAT(result.queries.mask_logits.sizes(), ElementsAre(1, 19, 8, 16));
  ASSERT_EQ(result.train_ids.size(), cv::Size(50, 30));
  ASSERT_EQ(result.train_ids.type(), CV_8UC1);
  EXPECT_EQ(cv::countNonZero(result.train_ids.colRange(0, 24) == 0), 24 * 30);
  // Where the picture meets its padding, colours are mixtures.
  const cv::Mat sky = result.train_ids(cv::Rect(24, 0, 22, 26)) == 10;
  EXPECT_EQ(cv::countNonZero(sky), 22 * 26);
  EXPECT_FALSE(result.scores.defined());
}

TEST_F(SemanticPredictorTest, GivesTheSizeThatIsWanted) {
  const SemanticPrediction result =
      PredictSemantic(*segmentor_, {}, image_, {60, 100});
  ASSERT_EQ(result.train_ids.size(), cv::Size(100, 60));
  EXPECT_EQ(result.train_ids.at<uint8_t>(20, 0), 0);
  EXPECT_EQ(result.train_ids.at<uint8_t>(20, 80), 10);
}

TEST_F(SemanticPredictorTest, ScoresHaveTheLabelsAsTheirHighest) {
  const SemanticPrediction result =
      PredictSemantic(*segmentor_, {}, image_, {30, 50}, /*with_scores=*/true);
  ASSERT_THAT(result.scores.sizes(), ElementsAre(19, 30, 50));
  const at::Tensor best = result.scores.argmax(0);
  for (const auto& [y, x] : {std::pair(0, 0), {29, 23}, {29, 24}, {0, 45}}) {
    EXPECT_EQ(result.train_ids.at<uint8_t>(y, x), best[y][x].item<int64_t>());
  }
}

TEST_F(SemanticPredictorTest, ResizesFirstForModelsThatTellObjectsApart) {
  InferenceConfig first, panoptic;
  first.set_resize_before_scores(true);
  panoptic.set_panoptic_on(true);
  const QueryPrediction queries = PredictQueries(*segmentor_, {}, image_);
  const ImageSize output = {45, 75};
  const at::Tensor after = LabelPixels(queries, {}, output, true).scores;
  const at::Tensor before = LabelPixels(queries, first, output, true).scores;
  EXPECT_TRUE(
      LabelPixels(queries, panoptic, output, true).scores.equal(before));
  EXPECT_FALSE(after.equal(before)) << "or this test says nothing";
}

TEST_F(SemanticPredictorTest, RecordsNoGradients) {
  ASSERT_TRUE(at::GradMode::is_enabled());
  const SemanticPrediction result =
      PredictSemantic(*segmentor_, {}, image_, {30, 50}, true);
  EXPECT_FALSE(result.scores.requires_grad());
  EXPECT_FALSE(result.queries.mask_logits.requires_grad());
  EXPECT_TRUE(at::GradMode::is_enabled());
}

TEST(EvaluationModeGuardTest, GivesEachPartItsModeBack) {
  const auto segmentor = MakeColorSegmentor();
  segmentor->train();
  segmentor->backbone()->eval();
  {
    const EvaluationModeGuard guard(*segmentor);
    EXPECT_FALSE(segmentor->is_training());
    EXPECT_FALSE(segmentor->pixel_decoder()->is_training());
  }
  EXPECT_TRUE(segmentor->is_training());
  EXPECT_TRUE(segmentor->pixel_decoder()->is_training());
  EXPECT_FALSE(segmentor->backbone()->is_training());
}

}  // namespace
}  // namespace mask2former
