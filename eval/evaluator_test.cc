#include "mask2former/eval/evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/instance_report.h"
#include "mask2former/eval/panoptic_report.h"
#include "mask2former/eval/score_instance.h"
#include "mask2former/eval/score_panoptic.h"
#include "mask2former/eval/testing/color_segmentor.h"
#include "mask2former/model/segmentor.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int kRoad = 0, kCar = 13;            // Train ids,
constexpr int kRoadLabel = 7, kCarLabel = 26;  // label ids.

class EvaluateTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(CreateDirectories(root_ + "/gtFine/ulm"), IsOk());
    segmentor_ = MakeColorSegmentor();
    options_.input.set_min_size_test(32);
    options_.input.set_max_size_test(64);
  }

  // A picture of 32 x 64 that is road on the left and car on the right as the
  // model sees it; the ground truth has the border `shift` pixels further
  // right.
  void AddFrame(int shift = 0) {
    const int number = static_cast<int>(frames_.size());
    CityscapesFrame frame;
    frame.name = absl::StrCat("ulm_00000", number, "_000019");
    frame.image_path = absl::StrCat(root_, "/", frame.name, "_leftImg8bit.png");
    frame.label_ids_path =
        absl::StrCat(root_, "/", frame.name, "_labelIds.png");
    frame.instance_ids_path = absl::StrCat(root_, "/gtFine/ulm/", frame.name,
                                           "_gtFine_instanceIds.png");
    cv::Mat seen(32, 64, CV_8UC1, cv::Scalar(kRoad));
    seen.colRange(32, 64).setTo(kCar);
    cv::Mat truth(32, 64, CV_8UC1, cv::Scalar(kRoadLabel));
    truth.colRange(32 + shift, 64).setTo(kCarLabel);
    cv::Mat instances(32, 64, CV_16UC1, cv::Scalar(kRoadLabel));
    instances.colRange(32 + shift, 64).setTo(kCarLabel * 1000);
    ASSERT_THAT(WritePngAtomically(frame.image_path, PaintClasses(seen)),
                IsOk());
    ASSERT_THAT(WritePngAtomically(frame.label_ids_path, truth), IsOk());
    ASSERT_THAT(WritePngAtomically(frame.instance_ids_path, instances), IsOk());
    frames_.push_back(frame);
  }

  std::string root_;
  std::vector<CityscapesFrame> frames_;
  EvaluatorOptions options_;
  std::shared_ptr<Segmentor> segmentor_;
};

TEST_F(EvaluateTest, ScoresWhatTheModelSees) {
  AddFrame(/*shift=*/0);
  AddFrame(/*shift=*/8);
  const auto result = Evaluate(frames_, options_, *segmentor_);
  ASSERT_THAT(result, IsOk());
  // Of 32 rows, in columns: road 32 + 32 right, 8 taken for car; car 32 + 24.
  EXPECT_DOUBLE_EQ(result->semantic->scores.class_iou[kRoadLabel], 64. / 72);
  EXPECT_DOUBLE_EQ(result->semantic->scores.class_iou[kCarLabel], 56. / 64);
  EXPECT_DOUBLE_EQ(result->semantic->scores.mean_class_iou,
                   (64. / 72 + 56. / 64) / 2);
  EXPECT_FALSE(
      std::isnan(result->semantic->scores.class_instance_iou[kCarLabel]));
  EXPECT_EQ(result->semantic->metrics.images(), 2);
}

TEST_F(EvaluateTest, TheResultDoesNotDependOnPrefetch) {
  for (int i = 0; i < 5; ++i) AddFrame(4 * i);
  options_.eval.set_prefetch(1);
  const auto one = Evaluate(frames_, options_, *segmentor_);
  options_.eval.set_prefetch(9);
  const auto nine = Evaluate(frames_, options_, *segmentor_);
  ASSERT_THAT(one, IsOk());
  ASSERT_THAT(nine, IsOk());
  EXPECT_EQ(one->semantic->metrics.ToSums(), nine->semantic->metrics.ToSums());
}

TEST_F(EvaluateTest, ScoresAtTheSizeOfThePictureWhateverTheTestSize) {
  AddFrame();
  options_.input.set_min_size_test(64);
  options_.input.set_max_size_test(128);
  const auto result = Evaluate(frames_, options_, *segmentor_);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->semantic->metrics.confusion().Total(), 32 * 64);
  // The enlarged border is a mixture of colours, a column or two.
  EXPECT_GT(result->semantic->scores.class_iou[kRoadLabel], 0.9);
}

TEST_F(EvaluateTest, LeavesTheModelInTheModeItHad) {
  AddFrame();
  segmentor_->train();
  segmentor_->pixel_decoder()->eval();
  ASSERT_THAT(Evaluate(frames_, options_, *segmentor_), IsOk());
  EXPECT_TRUE(segmentor_->is_training());
  EXPECT_TRUE(segmentor_->backbone()->is_training());
  EXPECT_FALSE(segmentor_->pixel_decoder()->is_training());
}

TEST_F(EvaluateTest, KeepsStripsOfTheFirstPictures) {
  for (int i = 0; i < 3; ++i) AddFrame();
  options_.eval.set_num_pictures(2);
  options_.pictures_dir = root_ + "/new/pictures";
  const auto result = Evaluate(frames_, options_, *segmentor_);
  ASSERT_THAT(result, IsOk());
  ASSERT_THAT(result->pictures, SizeIs(2));
  EXPECT_EQ(result->pictures[1].name, frames_[1].name);
  const auto strip = ReadPng(result->pictures[1].path, PngFormat::kRgb8);
  ASSERT_THAT(strip, IsOk());
  EXPECT_GE(strip->cols, 3 * 64);
  EXPECT_EQ(cv::norm(*strip, result->pictures[1].strip, cv::NORM_INF), 0);
}

TEST_F(EvaluateTest, WritesPredictionsInLabelIds) {
  AddFrame();
  options_.predictions_dir = root_ + "/predictions";
  ASSERT_THAT(Evaluate(frames_, options_, *segmentor_), IsOk());
  const auto prediction =
      ReadPng(absl::StrCat(root_, "/predictions/semantic/", frames_[0].name,
                           "_leftImg8bit_pred.png"),
              PngFormat::kGray8);
  ASSERT_THAT(prediction, IsOk());
  const auto truth = ReadPng(frames_[0].label_ids_path, PngFormat::kGray8);
  ASSERT_THAT(truth, IsOk());
  EXPECT_EQ(cv::norm(*prediction, *truth, cv::NORM_INF), 0);
}

TEST_F(EvaluateTest, NeedsNoGroundTruthWithoutScoring) {
  AddFrame();
  std::filesystem::remove(frames_[0].label_ids_path);
  std::filesystem::remove(frames_[0].instance_ids_path);
  options_.score = false;
  const auto result = Evaluate(frames_, options_, *segmentor_);
  ASSERT_THAT(result, IsOk());
  EXPECT_FALSE(result->semantic.has_value());
  EXPECT_THAT(result->pictures, SizeIs(1));
}

TEST_F(EvaluateTest, WithoutInstancesOnlyTheInstanceScoresAreUndefined) {
  AddFrame();
  std::filesystem::remove(frames_[0].instance_ids_path);
  const auto result = Evaluate(frames_, options_, *segmentor_);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->semantic->scores.class_iou[kCarLabel], 1);
  EXPECT_TRUE(std::isnan(result->semantic->scores.mean_class_instance_iou));
}

TEST_F(EvaluateTest, DoesEveryTaskThatIsSwitchedOn) {
  AddFrame(/*shift=*/0);
  AddFrame(/*shift=*/8);
  options_.inference.set_panoptic_on(true);
  options_.inference.set_instance_on(true);
  options_.predictions_dir = root_ + "/predictions";
  options_.num_worst = 1;
  const auto result = Evaluate(frames_, options_, *segmentor_);
  ASSERT_THAT(result, IsOk());
  EXPECT_DOUBLE_EQ(result->semantic->scores.class_iou[kCarLabel], 56. / 64);
  EXPECT_DOUBLE_EQ(result->semantic->generic.mean_iou,
                   (64. / 72 + 56. / 64) / 2);
  // All four segments match: of the second picture by 32 of 40 columns of road
  // and by 24 of 32 of the car.
  ASSERT_TRUE(result->panoptic.has_value());
  EXPECT_DOUBLE_EQ(result->panoptic->all.mean.pq,
                   ((1 + 32. / 40) / 2 + (1 + 24. / 32) / 2) / 2);
  EXPECT_EQ(result->panoptic->all.categories, 2);
  // Right at all ten thresholds, and at five, 0.5 to 0.7; equal scores.
  ASSERT_TRUE(result->instance.has_value());
  EXPECT_DOUBLE_EQ(result->instance->mean_ap50, 1);
  EXPECT_LT(result->instance->mean_ap, 1);
  EXPECT_GT(result->instance->mean_ap, 0.5);

  ASSERT_THAT(result->worst, SizeIs(3));
  EXPECT_EQ(result->worst[0].task, "semantic");
  EXPECT_EQ(result->worst[1].task, "panoptic");
  EXPECT_EQ(result->worst[2].task, "instance");
  for (const WorstPicture& worst : result->worst) {
    EXPECT_EQ(worst.name, frames_[1].name);
    EXPECT_FALSE(worst.strip.empty());
  }
  ASSERT_THAT(result->pictures, SizeIs(6));
  EXPECT_EQ(result->pictures[0].name, frames_[0].name);
  EXPECT_EQ(result->pictures[1].name, frames_[0].name + "_panoptic");
  EXPECT_EQ(result->pictures[2].name, frames_[0].name + "_instance");

  // What was written scores the same.
  std::ostringstream console;
  ScorePanopticOptions panoptic;
  panoptic.ground_truth = root_ + "/gtFine";
  panoptic.predictions = root_ + "/predictions/panoptic.json";
  const auto panoptic_again = ScorePanoptic(panoptic, console);
  ASSERT_THAT(panoptic_again, IsOk());
  EXPECT_EQ(PanopticJson(panoptic_again->Compute()),
            PanopticJson(*result->panoptic));
  ScoreInstanceOptions instance;
  instance.ground_truth = root_ + "/gtFine";
  instance.predictions = root_ + "/predictions/instance";
  const auto instance_again = ScoreInstance(instance, console);
  ASSERT_THAT(instance_again, IsOk());
  EXPECT_EQ(InstanceJson(instance_again->Compute()),
            InstanceJson(*result->instance));
}

// A model of things needs no label image.
TEST_F(EvaluateTest, ScoresInstancesOfAModelOfThings) {
  AddFrame();
  std::filesystem::remove(frames_[0].label_ids_path);
  cv::Mat seen(32, 64, CV_8UC1, cv::Scalar(19));  // Nothing.
  seen.colRange(32, 64).setTo(2);                 // The third thing, car.
  ASSERT_THAT(WritePngAtomically(frames_[0].image_path, PaintClasses(seen)),
              IsOk());
  segmentor_ = MakeColorSegmentor(8);
  options_.inference.set_semantic_on(false);
  options_.inference.set_instance_on(true);
  const auto result = Evaluate(frames_, options_, *segmentor_);
  ASSERT_THAT(result, IsOk());
  EXPECT_FALSE(result->semantic.has_value());
  EXPECT_FALSE(result->panoptic.has_value());
  EXPECT_EQ(result->instance->mean_ap, 1);
  EXPECT_EQ(result->instance->class_ap[2], 1);
  ASSERT_THAT(result->pictures, SizeIs(1));
  EXPECT_EQ(result->pictures[0].name, frames_[0].name + "_instance");
}

TEST_F(EvaluateTest, AugmentationIsForTheSemanticTask) {
  AddFrame();
  options_.eval.mutable_tta()->set_enabled(true);
  options_.eval.mutable_tta()->add_min_size(32);
  options_.eval.mutable_tta()->add_min_size(64);
  options_.inference.set_panoptic_on(true);
  const auto result = Evaluate(frames_, options_, *segmentor_);
  ASSERT_THAT(result, IsOk());
  ASSERT_TRUE(result->semantic.has_value());
  EXPECT_GT(result->semantic->scores.class_iou[kRoadLabel], 0.9);
  EXPECT_FALSE(result->panoptic.has_value());
  options_.eval.mutable_tta()->add_min_size(0);
  EXPECT_THAT(Evaluate(frames_, options_, *segmentor_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("eval.tta.min_size")));
  options_.inference.set_semantic_on(false);
  options_.eval.mutable_tta()->clear_min_size();
  EXPECT_THAT(Evaluate(frames_, options_, *segmentor_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("is for the semantic task")));
}

TEST_F(EvaluateTest, SegmentsNeedInstanceImages) {
  AddFrame();
  std::filesystem::remove(frames_[0].instance_ids_path);
  options_.inference.set_panoptic_on(true);
  EXPECT_THAT(
      Evaluate(frames_, options_, *segmentor_),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("instanceIds.png")));
}

TEST_F(EvaluateTest, RefusesClassesAndTasksThatDoNotFit) {
  AddFrame();
  EXPECT_THAT(
      Evaluate(frames_, options_, *MakeColorSegmentor(7)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has 7 classes")));
  EXPECT_THAT(Evaluate(frames_, options_, *MakeColorSegmentor(8)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("model.inference.instance_on")));
  options_.inference.set_semantic_on(false);
  EXPECT_THAT(Evaluate(frames_, options_, *segmentor_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("gives no result")));
}

TEST_F(EvaluateTest, ReportsProgressAndStopsWhenToldTo) {
  for (int i = 0; i < 3; ++i) AddFrame();
  std::vector<int64_t> done;
  options_.progress = [&](const EvaluationProgress& progress) {
    EXPECT_EQ(progress.total, 3);
    EXPECT_GE(progress.eta_seconds, 0);
    done.push_back(progress.done);
    return progress.done < 2 ? absl::OkStatus()
                             : absl::CancelledError("interrupted");
  };
  EXPECT_THAT(Evaluate(frames_, options_, *segmentor_),
              StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  EXPECT_THAT(done, testing::ElementsAre(1, 2));
}

TEST_F(EvaluateTest, TimesAllButTheFirstPictures) {
  for (int i = 0; i < 7; ++i) AddFrame();
  const auto result = Evaluate(frames_, options_, *segmentor_);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->speed.images, 2);
  EXPECT_GT(result->speed.compute_seconds, 0);
  EXPECT_GE(result->speed.total_seconds, result->speed.compute_seconds);
}

TEST_F(EvaluateTest, NamesThePictureThatCannotBeRead) {
  for (int i = 0; i < 4; ++i) AddFrame();
  std::filesystem::remove(frames_[2].label_ids_path);
  EXPECT_THAT(Evaluate(frames_, options_, *segmentor_),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("ulm_000002_000019_labelIds.png")));
}

TEST_F(EvaluateTest, NamesThePictureOnWhichTheModelFails) {
  AddFrame();
  AddFrame();
  ASSERT_THAT(
      WritePngAtomically(frames_[1].image_path,
                         cv::Mat(32, 64, CV_8UC3, cv::Scalar(255, 255, 255))),
      IsOk());
  segmentor_->train();
  EXPECT_THAT(Evaluate(frames_, options_, *segmentor_),
              StatusIs(absl::StatusCode::kInternal,
                       AllOf(HasSubstr("ulm_000001_000019"),
                             HasSubstr("makes the model fail"))));
  EXPECT_TRUE(segmentor_->is_training());
}

TEST_F(EvaluateTest, RefusesSettingsOutOfRange) {
  EXPECT_THAT(
      Evaluate({}, options_, *segmentor_),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no pictures")));
  AddFrame();
  options_.eval.set_prefetch(0);
  EXPECT_THAT(
      Evaluate(frames_, options_, *segmentor_),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("eval.prefetch")));
  options_.eval.set_prefetch(1);
  options_.eval.set_num_pictures(-1);
  EXPECT_THAT(Evaluate(frames_, options_, *segmentor_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("eval.num_pictures")));
  options_.eval.set_num_pictures(0);
  options_.input.set_max_size_test(16);
  EXPECT_THAT(Evaluate(frames_, options_, *segmentor_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("data.input.min_size_test")));
}

}  // namespace
}  // namespace mask2former
