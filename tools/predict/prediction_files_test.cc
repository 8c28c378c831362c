#include "mask2former/tools/predict/prediction_files.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <opencv2/core.hpp>

#include "mask2former/common/file_io.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/panoptic_json.h"
#include "mask2former/eval/visualize.h"
#include "mask2former/model/instance_inference.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kHeight = 3, kWidth = 5;

// 19 classes, 2 queries, maps of 1 x 2; pixel i has train id i.
PicturePrediction SomePrediction() {
  PicturePrediction prediction;
  prediction.queries.class_logits = at::rand({1, 2, 20});
  prediction.queries.mask_logits = at::rand({1, 2, 1, 2});
  prediction.train_ids = cv::Mat(kHeight, kWidth, CV_8UC1);
  prediction.scores = at::zeros({19, kHeight, kWidth});
  for (int i = 0; i < kHeight * kWidth; ++i) {
    prediction.train_ids.at<uint8_t>(i / kWidth, i % kWidth) = i;
    prediction.scores[i][i / kWidth][i % kWidth] = 0.6;
    prediction.scores[18][i / kWidth][i % kWidth] = 0.2;
  }
  // The left half road, the right half a car.
  prediction.panoptic.ids = at::ones({kHeight, kWidth}, at::kInt);
  prediction.panoptic.ids.narrow(1, 3, 2).fill_(2);
  prediction.panoptic.segments = {{1, false, 0, 0.9}, {2, true, 13, 0.9}};
  const auto segment = [&](int id) {
    return std::make_shared<RunLengthMask>(
        EncodeMask(prediction.panoptic.ids.eq(id)));
  };
  prediction.instances = {{0.75, 13, 0, segment(2)}, {0.25, 11, 1, segment(1)}};
  prediction.image = {30, 50};
  prediction.padded = {32, 64};
  return prediction;
}

class WritePredictionFilesTest : public testing::Test {
 protected:
  void SetUp() override { folder_ = FreshTestFolder(); }

  // Writes one kind and returns its path.
  std::string Write(PredictionFile kind, int confidence_bits = 8) {
    EXPECT_THAT(WritePredictionFiles(folder_, "ulm/a", image_, prediction_,
                                     {kind}, confidence_bits),
                IsOk());
    return PredictionPath(folder_, "ulm/a", kind);
  }

  static void ExpectSame(const absl::StatusOr<cv::Mat>& got,
                         const cv::Mat& want) {
    ASSERT_THAT(got, IsOk());
    ASSERT_EQ(got->size(), want.size());
    ASSERT_EQ(got->type(), want.type());
    EXPECT_EQ(cv::norm(*got, want, cv::NORM_INF), 0);
  }

  std::string folder_;
  const cv::Mat image_ =
      cv::Mat(kHeight, kWidth, CV_8UC3, cv::Scalar(10, 20, 30));
  PicturePrediction prediction_ = SomePrediction();
};

TEST_F(WritePredictionFilesTest, OverlayIsRgb) {
  const std::string path = Write(PredictionFile::kOverlay);
  EXPECT_EQ(path, folder_ + "/ulm/a_overlay.png");
  ExpectSame(ReadPng(path, PngFormat::kRgb8),
             OverlayTrainIds(image_, prediction_.train_ids));
}

TEST_F(WritePredictionFilesTest, ColorIsRgb) {
  const auto image = ReadPng(Write(PredictionFile::kColor), PngFormat::kRgb8);
  ExpectSame(image, ColorizeTrainIds(prediction_.train_ids));
  EXPECT_EQ(image->at<cv::Vec3b>(0, 0), cv::Vec3b(128, 64, 128));  // Road.
}

TEST_F(WritePredictionFilesTest, LabelIdsAreThoseOfTheBenchmark) {
  const cv::Mat want = (cv::Mat_<uint8_t>(kHeight, kWidth) << 7, 8, 11, 12, 13,
                        17, 19, 20, 21, 22, 23, 24, 25, 26, 27);
  ExpectSame(ReadPng(Write(PredictionFile::kLabelIds), PngFormat::kGray8),
             want);
}

TEST_F(WritePredictionFilesTest, TrainIdsAreWrittenAsTheyAre) {
  ExpectSame(ReadPng(Write(PredictionFile::kTrainIds), PngFormat::kGray8),
             prediction_.train_ids);
}

TEST_F(WritePredictionFilesTest, ConfidenceIsTheShareOfTheBestClass) {
  prediction_.scores.select(1, 0).select(1, 0).zero_();  // Nothing at (0, 0).
  cv::Mat want8(kHeight, kWidth, CV_8UC1, cv::Scalar(191));  // 0.75 * 255
  want8.at<uint8_t>(0, 0) = 0;
  ExpectSame(ReadPng(Write(PredictionFile::kConfidence), PngFormat::kGray8),
             want8);
  cv::Mat want16(kHeight, kWidth, CV_16UC1, cv::Scalar(49151));
  want16.at<uint16_t>(0, 0) = 0;
  ExpectSame(
      ReadPng(Write(PredictionFile::kConfidence, 16), PngFormat::kGray16),
      want16);
}

TEST_F(WritePredictionFilesTest, RawIsWhatTheNetworkReturned) {
  const auto file = ReadSafetensors(Write(PredictionFile::kRaw));
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->tensors.size(), 2);
  EXPECT_TRUE(at::equal(file->tensors.at("pred_logits"),
                        prediction_.queries.class_logits[0]));
  EXPECT_TRUE(at::equal(file->tensors.at("pred_masks"),
                        prediction_.queries.mask_logits[0]));
  EXPECT_EQ(file->metadata.at("height"), "3");
  EXPECT_EQ(file->metadata.at("width"), "5");
  EXPECT_EQ(file->metadata.at("input_height"), "30");
  EXPECT_EQ(file->metadata.at("padded_width"), "64");
}

TEST_F(WritePredictionFilesTest, RawScoresHaveTheScoresToo) {
  const auto file = ReadSafetensors(Write(PredictionFile::kRawScores));
  ASSERT_THAT(file, IsOk());
  EXPECT_TRUE(at::equal(file->tensors.at("sem_seg"), prediction_.scores));
  EXPECT_EQ(file->tensors.at("pred_masks").dim(), 3);
}

TEST_F(WritePredictionFilesTest, PanopticIsTheFormatThatIsScored) {
  const std::string path = Write(PredictionFile::kPanoptic);
  EXPECT_EQ(path, folder_ + "/ulm/a_panoptic.json");
  const auto file = ReadPanopticJson(path, PanopticFileKind::kPrediction);
  ASSERT_THAT(file, IsOk());
  ASSERT_EQ(file->annotations.size(), 1);
  EXPECT_EQ(file->annotations[0].image_id, "a");
  ASSERT_EQ(file->annotations[0].segments.size(), 2);
  EXPECT_EQ(file->annotations[0].segments[1].category_id, 26);
  const auto ids = ReadPng(folder_ + "/ulm/a_panoptic/a.png", PngFormat::kRgb8);
  ASSERT_THAT(ids, IsOk());
  EXPECT_EQ(ids->at<cv::Vec3b>(0, 4), cv::Vec3b(2, 0, 0));
}

TEST_F(WritePredictionFilesTest, InstancesAreTheFormatThatIsScored) {
  const std::string path = Write(PredictionFile::kInstances);
  EXPECT_EQ(path, folder_ + "/ulm/a_instances/a_pred.txt");
  const auto lines = ReadFile(path);
  ASSERT_THAT(lines, IsOk());
  EXPECT_EQ(*lines, "a_0_car.png 26 0.75\na_1_person.png 24 0.25\n");
  const auto mask =
      ReadPng(folder_ + "/ulm/a_instances/a_0_car.png", PngFormat::kGray8);
  ASSERT_THAT(mask, IsOk());
  EXPECT_EQ(cv::countNonZero(*mask), 2 * kHeight);
}

TEST_F(WritePredictionFilesTest, OverlaysShowSegmentsAndSureInstances) {
  const auto panoptic =
      ReadPng(Write(PredictionFile::kPanopticOverlay), PngFormat::kRgb8);
  ASSERT_THAT(panoptic, IsOk());
  // 6 parts of road, (128, 64, 128), to 4 of the picture.
  EXPECT_EQ(panoptic->at<cv::Vec3b>(1, 0), cv::Vec3b(81, 46, 89));
  const auto instances =
      ReadPng(Write(PredictionFile::kInstanceOverlay), PngFormat::kRgb8);
  ASSERT_THAT(instances, IsOk());
  EXPECT_EQ(instances->at<cv::Vec3b>(1, 0), cv::Vec3b(10, 20, 30));
  EXPECT_NE(instances->at<cv::Vec3b>(1, 4), cv::Vec3b(10, 20, 30));
}

TEST_F(WritePredictionFilesTest, RefusesObjectsOfOtherClasses) {
  prediction_.queries.class_logits = at::rand({1, 2, 8});
  EXPECT_THAT(
      WritePredictionFiles(folder_, "a", image_, prediction_,
                           {PredictionFile::kPanoptic}, 8),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has 7 classes")));
}

TEST(DefaultPredictionFilesTest, AreTheOverlaysOfTheTasks) {
  InferenceConfig config;
  EXPECT_THAT(DefaultPredictionFiles(config, false),
              ElementsAre(PredictionFile::kOverlay));
  config.set_panoptic_on(true);
  config.set_instance_on(true);
  EXPECT_THAT(DefaultPredictionFiles(config, true),
              ElementsAre(PredictionFile::kOverlay));
  EXPECT_THAT(
      DefaultPredictionFiles(config, false),
      ElementsAre(PredictionFile::kOverlay, PredictionFile::kPanopticOverlay,
                  PredictionFile::kInstanceOverlay));
  config.set_semantic_on(false);
  config.set_panoptic_on(false);
  EXPECT_THAT(DefaultPredictionFiles(config, false),
              ElementsAre(PredictionFile::kInstanceOverlay));
}

TEST(TasksForTest, SwitchesOffWhatIsNotSaved) {
  const auto config = ParseTextProtoOrDie<InferenceConfig>(
      "semantic_on: true instance_on: true panoptic_on: true top_k: 7");
  auto tasks = TasksFor({PredictionFile::kOverlay}, config);
  ASSERT_THAT(tasks, IsOk());
  EXPECT_TRUE(tasks->semantic_on());
  EXPECT_FALSE(tasks->instance_on());
  EXPECT_FALSE(tasks->panoptic_on());
  EXPECT_TRUE(tasks->resize_before_scores())
      << "the labels are those of the panoptic model";
  tasks = TasksFor({PredictionFile::kRaw, PredictionFile::kInstances,
                    PredictionFile::kPanopticOverlay},
                   config);
  ASSERT_THAT(tasks, IsOk());
  EXPECT_FALSE(tasks->semantic_on());
  EXPECT_TRUE(tasks->instance_on());
  EXPECT_TRUE(tasks->panoptic_on());
  EXPECT_EQ(tasks->top_k(), 7);
}

TEST(TasksForTest, RefusesWhatTheModelWasNotTrainedFor) {
  EXPECT_THAT(TasksFor({PredictionFile::kPanoptic}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("model.inference.panoptic_on")));
  EXPECT_THAT(TasksFor({PredictionFile::kInstanceOverlay}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("'instance_overlay'")));
  EXPECT_THAT(TasksFor({PredictionFile::kColor},
                       ParseTextProtoOrDie<InferenceConfig>(
                           "semantic_on: false instance_on: true")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("model.inference.semantic_on")));
}

TEST_F(WritePredictionFilesTest, RefusesColorsForOtherClasses) {
  prediction_.queries.class_logits = at::rand({1, 2, 8});
  EXPECT_THAT(WritePredictionFiles(folder_, "a", image_, prediction_,
                                   {PredictionFile::kLabelIds}, 8),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has 7")));
  EXPECT_THAT(WritePredictionFiles(folder_, "a", image_, prediction_,
                                   {PredictionFile::kTrainIds}, 8),
              IsOk());
}

TEST_F(WritePredictionFilesTest, ClassesOfTheUsersOwnHaveTheirColors) {
  prediction_.queries.class_logits = at::rand({1, 2, 3});
  prediction_.train_ids = cv::Mat(kHeight, kWidth, CV_8UC1, cv::Scalar(0));
  prediction_.train_ids.at<uint8_t>(0, 1) = 1;
  const ClassColors colors = {{0, 0, 9}, {250, 20, 30}};
  ASSERT_THAT(
      WritePredictionFiles(folder_, "a", image_, prediction_,
                           {PredictionFile::kColor, PredictionFile::kOverlay},
                           8, colors),
      IsOk());
  const auto color = ReadPng(folder_ + "/a_color.png", PngFormat::kRgb8);
  ASSERT_THAT(color, IsOk());
  EXPECT_EQ(color->at<cv::Vec3b>(0, 0), cv::Vec3b(0, 0, 9));
  EXPECT_EQ(color->at<cv::Vec3b>(0, 1), cv::Vec3b(250, 20, 30));
  const auto overlay = ReadPng(folder_ + "/a_overlay.png", PngFormat::kRgb8);
  ASSERT_THAT(overlay, IsOk());
  EXPECT_EQ(overlay->at<cv::Vec3b>(0, 1), cv::Vec3b(130, 20, 30));
  for (const PredictionFile kind :
       {PredictionFile::kLabelIds, PredictionFile::kPanoptic,
        PredictionFile::kInstances}) {
    EXPECT_THAT(
        WritePredictionFiles(folder_, "a", image_, prediction_, {kind}, 8,
                             colors),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("data.folder")));
  }
  EXPECT_THAT(WritePredictionFiles(folder_, "a", image_, prediction_,
                                   {PredictionFile::kColor}, 8, {{1, 2, 3}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has 2 classes, data.folder.classes 1")));
}

TEST(ParsePredictionFilesTest, ReadsAListOnceEach) {
  const auto kinds = ParsePredictionFiles("raw,overlay,raw");
  ASSERT_THAT(kinds, IsOk());
  EXPECT_THAT(*kinds,
              ElementsAre(PredictionFile::kRaw, PredictionFile::kOverlay));
  EXPECT_FALSE(NeedScores(*kinds));
  EXPECT_TRUE(NeedScores({PredictionFile::kConfidence}));
  EXPECT_TRUE(NeedScores({PredictionFile::kRawScores}));
}

TEST(ParsePredictionFilesTest, SuggestsNames) {
  EXPECT_THAT(ParsePredictionFiles("overlay,label_id"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("did you mean 'label_ids'")));
  EXPECT_THAT(
      ParsePredictionFiles(""),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("confidence")));
}

}  // namespace
}  // namespace mask2former
