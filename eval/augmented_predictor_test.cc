#include "mask2former/eval/augmented_predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <opencv2/core.hpp>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/data/transforms/flip.h"
#include "mask2former/data/transforms/pil_resize.h"
#include "mask2former/eval/testing/color_segmentor.h"
#include "mask2former/model/segmentor.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TestTimeAugmentation Parse(const char* text) {
  return ParseTextProtoOrDie<TestTimeAugmentation>(text);
}

TEST(AugmentedSizesTest, AreTheOfficialOnes) {
  EXPECT_THAT(AugmentedSizes({}, {1024, 2048}),
              ElementsAre(ImageSize{512, 1024}, ImageSize{768, 1536},
                          ImageSize{1024, 2048}, ImageSize{1280, 2560},
                          ImageSize{1536, 3072}, ImageSize{1792, 3584}));
}

TEST(AugmentedSizesTest, TheLongerEdgeIsBounded) {
  EXPECT_THAT(
      AugmentedSizes(Parse("min_size: [10, 40] max_size: 60"), {100, 200}),
      ElementsAre(ImageSize{10, 20}, ImageSize{30, 60}));
}

TEST(ValidateTestTimeAugmentationTest, NamesTheFieldThatIsWrong) {
  EXPECT_THAT(ValidateTestTimeAugmentation({}), IsOk());
  EXPECT_THAT(ValidateTestTimeAugmentation(Parse("min_size: [5, 0]")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("eval.tta.min_size")));
  EXPECT_THAT(ValidateTestTimeAugmentation(Parse("max_size: 0")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("eval.tta.max_size")));
}

class PredictSemanticAugmentedTest : public testing::Test {
 protected:
  PredictSemanticAugmentedTest() {
    cv::randu(picture_, 0, 200);
    segmentor_->eval();
  }

  // What the ordinary prediction gives for this one input.
  at::Tensor Scores(const cv::Mat& input) {
    return PredictSemantic(*segmentor_, {}, ImageToTensor(input), kOutput,
                           /*with_scores=*/true)
        .scores;
  }

  static constexpr ImageSize kOutput = {50, 90};
  cv::Mat picture_ = cv::Mat(40, 72, CV_8UC3);
  std::shared_ptr<Segmentor> segmentor_ = MakeColorSegmentor();
};

TEST_F(PredictSemanticAugmentedTest, AveragesTheScoresOfAllInputs) {
  at::Tensor sum;
  for (const ImageSize& size : {ImageSize{20, 36}, ImageSize{60, 108}}) {
    cv::Mat input = PilResizeBilinear(picture_, size);
    const at::Tensor straight = Scores(input);
    FlipHorizontally(input);
    const at::Tensor both = straight + Scores(input).flip(2);
    sum = sum.defined() ? sum + both : both;
  }
  const SemanticPrediction result =
      PredictSemanticAugmented(*segmentor_, {}, Parse("min_size: [20, 60]"),
                               ImageToTensor(picture_), kOutput);
  EXPECT_THAT(result.scores, TensorNear(sum / 4, 1e-6, 1e-6));
  ASSERT_EQ(result.train_ids.size(), cv::Size(90, 50));
  const at::Tensor best = result.scores.argmax(0);
  EXPECT_EQ(result.train_ids.at<uint8_t>(7, 11), best[7][11].item<int64_t>());
}

TEST_F(PredictSemanticAugmentedTest, MayLeaveOutTheMirror) {
  const SemanticPrediction result = PredictSemanticAugmented(
      *segmentor_, {}, Parse("min_size: 40 flip: false"),
      ImageToTensor(picture_), kOutput);
  EXPECT_THAT(result.scores, TensorNear(Scores(picture_), 0, 0));
}

// A model that sees colours sees them in the mirror, too: a mirrored picture
// has the mirrored labels.
TEST_F(PredictSemanticAugmentedTest, TheMirrorImageHasMirroredLabels) {
  const auto predict = [&](const cv::Mat& picture) {
    return PredictSemanticAugmented(*segmentor_, {}, Parse("min_size: 40"),
                                    ImageToTensor(picture), kOutput)
        .scores;
  };
  cv::Mat mirrored = picture_.clone();
  FlipHorizontally(mirrored);
  EXPECT_THAT(predict(mirrored).flip(2),
              TensorNear(predict(picture_), 1e-5, 1e-5));
}

}  // namespace
}  // namespace mask2former
