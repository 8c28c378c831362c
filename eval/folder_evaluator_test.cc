#include "mask2former/eval/folder_evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <opencv2/core.hpp>
#include <string>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/testing/color_segmentor.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class EvaluateFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(CreateDirectories(root_ + "/images/x"), IsOk());
    ASSERT_THAT(CreateDirectories(root_ + "/masks/x"), IsOk());
    config_ = ParseTextProtoOrDie<FolderData>(R"pb(
      val_images: "images/*/*.png"
      val_labels: "masks/*/*.png"
      classes { name: "sound" values: 0 color: "#0000ff" }
      classes { name: "crack" values: 255 color: "#ff0000" is_thing: true }
    )pb");
    Add("a", 0);
    Add("b", 8);
    options_.input.set_min_size_test(32);
    options_.input.set_max_size_test(64);
  }

  // A picture whose right half the model takes for a crack; the mask's crack
  // begins `shift` columns further right.
  void Add(const std::string& name, int shift) {
    cv::Mat seen = cv::Mat::zeros(32, 64, CV_8UC1);
    seen.colRange(32, 64).setTo(1);
    cv::Mat mask = cv::Mat::zeros(32, 64, CV_8UC1);
    mask.colRange(32 + shift, 64).setTo(255);
    ASSERT_THAT(WritePngAtomically(root_ + "/images/x/" + name + ".png",
                                   PaintClasses(seen)),
                IsOk());
    ASSERT_THAT(WritePngAtomically(root_ + "/masks/x/" + name + ".png", mask),
                IsOk());
  }

  absl::StatusOr<Evaluation> Run(int64_t model_classes = 2) {
    const auto pictures =
        FolderDataset::Create(root_, config_, FolderDataset::Split::kVal);
    EXPECT_THAT(pictures, IsOk());
    return EvaluateFolder(**pictures, options_,
                          *MakeColorSegmentor(model_classes));
  }

  std::string root_;
  FolderData config_;
  FolderEvaluatorOptions options_;
};

TEST_F(EvaluateFolderTest, ScoresTheClassesOfTheConfig) {
  const auto result = Run();
  ASSERT_THAT(result, IsOk());
  EXPECT_FALSE(result->semantic.has_value());
  ASSERT_TRUE(result->own_classes.has_value());
  const OwnClassesResult& own = *result->own_classes;
  EXPECT_THAT(own.names, testing::ElementsAre("sound", "crack"));
  EXPECT_THAT(own.is_thing, testing::ElementsAre(false, true));
  // In columns of 32 rows: sound 32 + 32 right, 8 taken for a crack.
  EXPECT_DOUBLE_EQ(own.scores.iou[0], 64. / 72);
  EXPECT_DOUBLE_EQ(own.scores.iou[1], 56. / 64);
  EXPECT_DOUBLE_EQ(own.scores.pixel_accuracy, 120. / 128);
  EXPECT_THAT(own.counts, testing::ElementsAre(64 * 32, 8 * 32, 0, 56 * 32));
  EXPECT_EQ(result->speed.images, 1);
  EXPECT_GT(result->speed.compute_seconds, 0);
}

TEST_F(EvaluateFolderTest, WritesAndDrawsWhatIsAskedFor) {
  options_.predictions_dir = root_ + "/out/predictions";
  options_.pictures_dir = root_ + "/out/pictures";
  options_.eval.set_num_pictures(1);
  options_.num_worst = 1;
  int64_t told = 0;
  options_.progress = [&](const EvaluationProgress& progress) {
    EXPECT_EQ(progress.total, 2);
    told = progress.done;
    return absl::OkStatus();
  };
  const auto result = Run();
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(told, 2);
  const auto written =
      ReadPng(root_ + "/out/predictions/semantic/x/b.png", PngFormat::kGray8);
  ASSERT_THAT(written, IsOk());
  EXPECT_EQ(cv::countNonZero(*written == 1), 32 * 32);
  EXPECT_EQ(cv::countNonZero(*written), 32 * 32);
  ASSERT_THAT(result->pictures, SizeIs(1));
  const auto strip = ReadPng(root_ + "/out/pictures/x/a.png", PngFormat::kRgb8);
  ASSERT_THAT(strip, IsOk());
  ASSERT_EQ(strip->cols, 3 * 64 + 2 * 4);
  EXPECT_EQ(strip->at<cv::Vec3b>(0, 68), cv::Vec3b(0, 0, 255));
  EXPECT_EQ(strip->at<cv::Vec3b>(0, 3 * 64 + 7), cv::Vec3b(255, 0, 0));
  ASSERT_THAT(result->worst, SizeIs(1));
  EXPECT_EQ(result->worst[0].name, "x/b");
  EXPECT_DOUBLE_EQ(result->worst[0].score, (32. / 40 + 24. / 32) / 2);
}

TEST_F(EvaluateFolderTest, AveragesOverSizesIfAskedTo) {
  options_.eval.mutable_tta()->set_enabled(true);
  options_.eval.mutable_tta()->add_min_size(32);
  options_.eval.mutable_tta()->add_min_size(64);
  const auto result = Run();
  ASSERT_THAT(result, IsOk());
  EXPECT_GT(result->own_classes->scores.pixel_accuracy, 0.9);
  EXPECT_TRUE(result->test_time_augmentation);
  options_.eval.mutable_tta()->add_min_size(-1);
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr("eval.tta")));
}

TEST_F(EvaluateFolderTest, RefusesAModelOfOtherClassesOrTasks) {
  EXPECT_THAT(Run(/*model_classes=*/3),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the model has 3 classes, "
                                 "data.folder.classes 2")));
  options_.inference.set_semantic_on(false);
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr("model.inference.semantic_on")));
}

TEST_F(EvaluateFolderTest, NamesThePictureThatIsWrong) {
  cv::Mat bad(32, 64, CV_8UC3, cv::Scalar(255, 0, 0));
  ASSERT_THAT(WritePngAtomically(root_ + "/images/x/b.png", bad), IsOk());
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInternal,
                              HasSubstr("images/x/b.png: ")));
  ASSERT_THAT(WritePngAtomically(root_ + "/masks/x/b.png",
                                 cv::Mat::zeros(16, 64, CV_8UC1)),
              IsOk());
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument,
                              AllOf(HasSubstr("masks/x/b.png is 16 x 64"),
                                    HasSubstr("must be equal"))));
  options_.progress = [](const EvaluationProgress&) {
    return absl::CancelledError("enough");
  };
  EXPECT_THAT(Run(),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("enough")));
}

}  // namespace
}  // namespace mask2former
