#include "mask2former/tools/predict/predict_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/testing/color_segmentor.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class PredictFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    options_.output = root_ + "/out";
    options_.kinds = {PredictionFile::kTrainIds, PredictionFile::kConfidence};
    options_.input.set_min_size_test(32);
    options_.input.set_max_size_test(64);
  }

  // A picture of one class; its size is not a multiple of anything.
  void AddPicture(const std::string& stem, int train_id) {
    const std::string path = absl::StrCat(root_, "/", stem, ".png");
    ASSERT_THAT(
        WritePngAtomically(
            path, PaintClasses(cv::Mat(37, 61, CV_8UC1, cv::Scalar(train_id)))),
        IsOk());
    files_.push_back({path, stem});
  }

  absl::StatusOr<PredictSummary> Run() {
    return PredictFiles(files_, options_, *segmentor_);
  }

  cv::Mat Labels(const std::string& stem) const {
    return ReadPng(
               PredictionPath(options_.output, stem, PredictionFile::kTrainIds),
               PngFormat::kGray8)
        .value_or(cv::Mat());
  }

  std::string root_;
  std::vector<InputFile> files_;
  PredictOptions options_;
  std::shared_ptr<Segmentor> segmentor_ = MakeColorSegmentor();
};

TEST_F(PredictFilesTest, LabelsPicturesAtTheirOwnSize) {
  AddPicture("a", 4);
  AddPicture("b", 9);
  const auto summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->done, 2);
  const cv::Mat labels = Labels("b");
  ASSERT_EQ(labels.size(), cv::Size(61, 37));
  EXPECT_EQ(cv::countNonZero(labels == 9), 61 * 37);
  EXPECT_THAT(summary->ToString(), HasSubstr("2 pictures in"));
}

TEST_F(PredictFilesTest, FindsSegmentsAndInstances) {
  AddPicture("a", 13);
  options_.kinds = {PredictionFile::kPanoptic, PredictionFile::kInstances};
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr("panoptic_on")));
  options_.inference.set_panoptic_on(true);
  options_.inference.set_instance_on(true);
  auto summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->done, 1);
  const auto lines = ReadFile(
      PredictionPath(options_.output, "a", PredictionFile::kInstances));
  ASSERT_THAT(lines, IsOk());
  EXPECT_THAT(*lines, testing::StartsWith("a_0_car.png 26 "));
  EXPECT_TRUE(FileExists(options_.output + "/a_panoptic/a.png"));
  summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->skipped, 1);
}

TEST_F(PredictFilesTest, AveragesOverSizes) {
  AddPicture("a", 13);
  options_.tta.set_enabled(true);
  options_.tta.add_min_size(37);
  options_.tta.add_min_size(74);
  ASSERT_THAT(Run(), IsOk());
  // Where the picture meets its padding, colours are mixtures.
  EXPECT_GT(cv::countNonZero(Labels("a") == 13), 61 * 37 - 10);
  options_.kinds = {PredictionFile::kTrainIds, PredictionFile::kRaw};
  EXPECT_THAT(Run(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("--tta"), HasSubstr("--save=overlay"))));
  options_.kinds = {PredictionFile::kColor};
  options_.tta.set_max_size(0);
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr("eval.tta.max_size")));
}

TEST_F(PredictFilesTest, AveragesByDefaultWhateverTheTasks) {
  AddPicture("a", 13);
  options_.inference.set_panoptic_on(true);
  options_.inference.set_instance_on(true);
  options_.tta.set_enabled(true);
  options_.tta.add_min_size(37);
  options_.kinds =
      DefaultPredictionFiles(options_.inference, options_.tta.enabled());
  const auto summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->done, 1);
  EXPECT_TRUE(FileExists(
      PredictionPath(options_.output, "a", PredictionFile::kOverlay)));
}

TEST_F(PredictFilesTest, SkipsWhatIsDoneUnlessToldOtherwise) {
  AddPicture("a", 4);
  ASSERT_THAT(Run(), IsOk());
  AddPicture("b", 5);
  auto summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->done, 1);
  EXPECT_EQ(summary->skipped, 1);
  // One of the two files is missing: done again.
  std::filesystem::remove(
      PredictionPath(options_.output, "a", PredictionFile::kConfidence));
  summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->done, 1);
  options_.overwrite = true;
  summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->done, 2);
}

TEST_F(PredictFilesTest, GoesOnAfterABrokenPicture) {
  ASSERT_THAT(WriteFileAtomically(root_ + "/broken.png", "no picture"), IsOk());
  files_.push_back({root_ + "/broken.png", "broken"});
  ASSERT_THAT(
      WritePngAtomically(root_ + "/model_fails.png",
                         cv::Mat(37, 61, CV_8UC3, cv::Scalar(255, 255, 255))),
      IsOk());
  files_.push_back({root_ + "/model_fails.png", "model_fails"});
  AddPicture("c", 2);
  testing::internal::CaptureStderr();
  const auto summary = Run();
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      testing::AllOf(HasSubstr("broken.png"), HasSubstr("model_fails.png: ")));
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->failed, 2);
  EXPECT_EQ(summary->done, 1);
  EXPECT_EQ(cv::countNonZero(Labels("c") == 2), 61 * 37);
}

TEST_F(PredictFilesTest, RefusesOptionsOutOfRange) {
  options_.confidence_bits = 12;
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr("8 or 16, got 12")));
  options_.confidence_bits = 8;
  options_.input.set_min_size_test(65);
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr("min_size_test")));
}

}  // namespace
}  // namespace mask2former
