#include "mask2former/eval/picture_predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <opencv2/core.hpp>

#include "mask2former/data/image_tensor.h"
#include "mask2former/eval/testing/color_segmentor.h"
#include "mask2former/model/segmentor.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kRoad = 0, kCar = 13;

// 32 x 64: road on the left, car on the right.
class PredictPictureTest : public testing::Test {
 protected:
  PredictPictureTest() { segmentor_->eval(); }

  PicturePrediction Predict(const InferenceConfig& config) {
    cv::Mat classes(32, 64, CV_8UC1, cv::Scalar(kRoad));
    classes.colRange(40, 64).setTo(kCar);
    return PredictPicture(*segmentor_, config,
                          CityscapesNetworkClasses(19).value(),
                          ImageToTensor(PaintClasses(classes)), {32, 64});
  }

  std::shared_ptr<Segmentor> segmentor_ = MakeColorSegmentor();
};

TEST_F(PredictPictureTest, IsSemanticUnlessToldOtherwise) {
  const PicturePrediction result = Predict({});
  EXPECT_EQ(cv::countNonZero(result.train_ids == kCar), 24 * 32);
  EXPECT_FALSE(result.panoptic.ids.defined());
  EXPECT_THAT(result.instances, IsEmpty());
}

TEST_F(PredictPictureTest, GivesEveryResultThatIsSwitchedOn) {
  InferenceConfig config;
  config.set_panoptic_on(true);
  config.set_instance_on(true);
  const PicturePrediction result = Predict(config);
  EXPECT_EQ(cv::countNonZero(result.train_ids == kCar), 24 * 32);
  ASSERT_THAT(result.panoptic.ids.sizes(), ElementsAre(32, 64));
  ASSERT_THAT(result.panoptic.segments, SizeIs(2));
  EXPECT_EQ(result.panoptic.segments[0].category, kRoad);
  EXPECT_FALSE(result.panoptic.segments[0].is_thing);
  EXPECT_EQ(result.panoptic.segments[1].category, kCar);
  EXPECT_TRUE(result.panoptic.segments[1].is_thing);
  ASSERT_GT(result.instances.size(), 0);
  EXPECT_EQ(result.instances[0].category, kCar);
  EXPECT_EQ(result.instances[0].mask->area(), 24 * 32);
  for (const InstancePrediction& instance : result.instances) {
    EXPECT_GE(instance.category, 11) << "things only";
  }
}

TEST_F(PredictPictureTest, FollowsTheThresholds) {
  InferenceConfig config;
  config.set_semantic_on(false);
  config.set_panoptic_on(true);
  config.set_object_mask_threshold(1);
  EXPECT_THAT(Predict(config).panoptic.segments, IsEmpty());
  EXPECT_TRUE(Predict(config).train_ids.empty());
  config.set_panoptic_on(false);
  config.set_instance_on(true);
  config.set_top_k(40);
  const size_t many = Predict(config).instances.size();
  config.set_top_k(5);
  EXPECT_LT(Predict(config).instances.size(), many);
}

}  // namespace
}  // namespace mask2former
