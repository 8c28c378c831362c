#include "mask2former/eval/main_evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <opencv2/core.hpp>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/evaluation_report.h"
#include "mask2former/eval/own_classes_report.h"
#include "mask2former/eval/report.h"
#include "mask2former/eval/score_semantic.h"
#include "mask2former/eval/scores_json.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/checkpoint.h"
#include "mask2former/model/testing/tiny_model_config.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

// A whole experiment with a model of a moment.
class EvaluateExperimentTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    experiment_ = ParseTextProtoOrDie<Experiment>(R"pb(
      data {
        generated { train_images: 1 val_images: 3 height: 64 width: 128 }
        input { min_size_test: 64 max_size_test: 128 }
      }
      trainer { device: CPU }
      eval { num_pictures: 2 }
    )pb");
    *experiment_.mutable_model() = TinyModelConfig();
    experiment_.mutable_data()->set_root(root_ + "/data");
    experiment_.set_output_dir(root_ + "/run");
    torch::manual_seed(1);
    const auto segmentor = BuildSegmentor(experiment_.model());
    ASSERT_THAT(segmentor, IsOk());
    options_.weights = root_ + "/model.safetensors";
    ASSERT_THAT(SaveWeights(options_.weights, **segmentor, {}), IsOk());
  }

  std::string root_;
  Experiment experiment_;
  EvaluateExperimentOptions options_;
};

TEST_F(EvaluateExperimentTest, DrawsDataScoresItAndLeavesResults) {
  std::ostringstream console;
  const auto evaluation = EvaluateExperiment(experiment_, options_, console);
  ASSERT_THAT(evaluation, IsOk());
  EXPECT_EQ(evaluation->semantic->metrics.images(), 3);
  EXPECT_THAT(console.str(),
              HasSubstr(ClassTable(evaluation->semantic->scores)));
  const auto json = ReadFile(root_ + "/run/evaluation/metrics.json");
  ASSERT_THAT(json, IsOk());
  EXPECT_EQ(*json, MetricsJson(*evaluation));
  const auto html = ReadFile(root_ + "/run/evaluation/report.html");
  ASSERT_THAT(html, IsOk());
  EXPECT_THAT(*html, AllOf(HasSubstr("<title>run, val</title>"),
                           HasSubstr("Semantic: confusion"),
                           HasSubstr("<figcaption>")));
  const auto pictures = ListDirectory(root_ + "/run/evaluation/pictures");
  ASSERT_THAT(pictures, IsOk());
  EXPECT_THAT(*pictures, SizeIs(2));
  EXPECT_FALSE(DirectoryExists(root_ + "/run/evaluation/predictions"));
}

TEST_F(EvaluateExperimentTest, WritesPredictionsThatScoreTheSame) {
  options_.write_predictions = true;
  options_.output_dir = root_ + "/elsewhere";
  std::ostringstream console;
  const auto evaluation = EvaluateExperiment(experiment_, options_, console);
  ASSERT_THAT(evaluation, IsOk());
  ScoreSemanticOptions score;
  score.ground_truth = root_ + "/data/gtFine/val";
  score.predictions = root_ + "/elsewhere/predictions/semantic";
  const auto metrics = ScoreSemantic(score, console);
  ASSERT_THAT(metrics, IsOk());
  EXPECT_EQ(OfficialJson(*metrics),
            OfficialJson(evaluation->semantic->metrics));
}

TEST_F(EvaluateExperimentTest, TestTimeAugmentationLiesBesideThePlainOne) {
  TestTimeAugmentation& tta = *experiment_.mutable_eval()->mutable_tta();
  tta.add_min_size(64);
  tta.add_min_size(96);
  std::ostringstream console;
  options_.write_predictions = true;
  ASSERT_THAT(EvaluateExperiment(experiment_, options_, console), IsOk());
  const std::string folder = root_ + "/run/evaluation/";
  const auto plain = ReadFile(folder + "metrics.json");
  ASSERT_THAT(plain, IsOk());
  EXPECT_THAT(console.str(), Not(HasSubstr("test-time")));
  options_.tta = true;
  const auto evaluation = EvaluateExperiment(experiment_, options_, console);
  ASSERT_THAT(evaluation, IsOk());
  EXPECT_TRUE(evaluation->test_time_augmentation);
  EXPECT_THAT(console.str(), HasSubstr("With test-time augmentation"));
  EXPECT_EQ(ReadFile(folder + "metrics.json").value(), *plain);
  EXPECT_THAT(*plain, HasSubstr("\"sem_seg\""));
  EXPECT_THAT(
      ReadFile(folder + "metrics_tta.json").value(),
      AllOf(HasSubstr("\"sem_seg_TTA\""), Not(HasSubstr("\"sem_seg\""))));
  EXPECT_THAT(ReadFile(folder + "report.html").value(),
              Not(HasSubstr("test-time")));
  EXPECT_THAT(ReadFile(folder + "report_tta.html").value(),
              HasSubstr("test-time augmentation"));
  EXPECT_THAT(ListDirectory(folder + "pictures_tta").value(), SizeIs(2));
  EXPECT_THAT(ListDirectory(folder + "predictions_tta/semantic").value(),
              SizeIs(3));
}

// With the labels that the archive has for its test split.
TEST_F(EvaluateExperimentTest, WarnsOfLabelsThatAreAllVoid) {
  std::ostringstream console;
  ASSERT_THAT(EvaluateExperiment(experiment_, options_, console), IsOk());
  experiment_.mutable_data()->clear_generated();
  const auto frames = ListCityscapes(root_ + "/data", "val");
  ASSERT_THAT(frames, IsOk());
  for (const CityscapesFrame& frame : *frames) {
    ASSERT_THAT(WritePngAtomically(frame.label_ids_path,
                                   cv::Mat::zeros(64, 128, CV_8UC1)),
                IsOk());
    ASSERT_THAT(WritePngAtomically(frame.instance_ids_path,
                                   cv::Mat::zeros(64, 128, CV_16UC1)),
                IsOk());
  }
  experiment_.mutable_model()->mutable_inference()->set_panoptic_on(true);
  experiment_.mutable_model()->mutable_inference()->set_instance_on(true);
  testing::internal::CaptureStderr();
  const auto evaluation = EvaluateExperiment(experiment_, options_, console);
  const std::string log = testing::internal::GetCapturedStderr();
  ASSERT_THAT(evaluation, IsOk());
  EXPECT_THAT(log, AllOf(HasSubstr("all labels of split val are void"),
                         HasSubstr("--write_predictions")));
  EXPECT_TRUE(std::isnan(evaluation->semantic->scores.mean_class_iou));
  EXPECT_TRUE(std::isnan(evaluation->panoptic->all.mean.pq));
}

TEST_F(EvaluateExperimentTest, PredictsASplitWithoutLabels) {
  std::ostringstream console;
  testing::internal::CaptureStderr();
  ASSERT_THAT(EvaluateExperiment(experiment_, options_, console), IsOk());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), Not(HasSubstr("void")));
  // The training pictures become a test split.
  std::filesystem::rename(root_ + "/data/leftImg8bit/train",
                          root_ + "/data/leftImg8bit/test");
  experiment_.mutable_data()->clear_generated();
  options_.split = "test";
  EXPECT_THAT(
      EvaluateExperiment(experiment_, options_, console),
      StatusIs(absl::StatusCode::kNotFound,
               AllOf(HasSubstr("gtFine"), HasSubstr("--write_predictions"))));
  ASSERT_THAT(CreateDirectories(root_ + "/data/gtFine/test"), IsOk());
  EXPECT_THAT(EvaluateExperiment(experiment_, options_, console),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("gtFine_labelIds.png"),
                             HasSubstr("--write_predictions"))));
  options_.write_predictions = true;
  std::ostringstream quiet;
  const auto evaluation = EvaluateExperiment(experiment_, options_, quiet);
  ASSERT_THAT(evaluation, IsOk());
  EXPECT_FALSE(evaluation->semantic.has_value());
  EXPECT_EQ(quiet.str(), "");
  const auto files =
      ListDirectory(root_ + "/run/evaluation/predictions/semantic");
  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(*files, SizeIs(1));
}

TEST_F(EvaluateExperimentTest, PredictsAllTasksWithoutAnyFolderOfLabels) {
  std::ostringstream console;
  ASSERT_THAT(EvaluateExperiment(experiment_, options_, console), IsOk());
  experiment_.mutable_data()->clear_generated();
  for (const char* name : {"/data/gtFine", "/run"}) {
    std::filesystem::remove_all(root_ + name);
  }
  std::filesystem::rename(root_ + "/data/leftImg8bit/val",
                          root_ + "/data/leftImg8bit/test");
  options_.split = "test";
  options_.write_predictions = true;
  experiment_.mutable_model()->mutable_inference()->set_panoptic_on(true);
  experiment_.mutable_model()->mutable_inference()->set_instance_on(true);
  std::ostringstream quiet;
  const auto evaluation = EvaluateExperiment(experiment_, options_, quiet);
  ASSERT_THAT(evaluation, IsOk());
  EXPECT_FALSE(evaluation->semantic || evaluation->panoptic ||
               evaluation->instance);
  EXPECT_EQ(quiet.str(), "");
  const std::string folder = root_ + "/run/evaluation/";
  EXPECT_FALSE(FileExists(folder + "metrics.json"));
  EXPECT_TRUE(FileExists(folder + "predictions/panoptic.json"));
  for (const char* task : {"semantic", "panoptic", "instance"}) {
    const auto files = ListDirectory(folder + "predictions/" + task);
    ASSERT_THAT(files, IsOk()) << task;
    const char* ending =
        absl::string_view(task) == "instance" ? ".txt" : ".png";
    EXPECT_GE(std::count_if(files->begin(), files->end(),
                            [&](const std::string& file) {
                              return absl::EndsWith(file, ending);
                            }),
              3)
        << task;
  }
}

TEST_F(EvaluateExperimentTest, ScoresPicturesInFolders) {
  // The drawn pictures and their labels, as if they were the user's own.
  std::ostringstream console;
  ASSERT_THAT(EvaluateExperiment(experiment_, options_, console), IsOk());
  experiment_.mutable_data()->clear_generated();
  FolderData& folder = *experiment_.mutable_data()->mutable_folder();
  folder.set_train_images("leftImg8bit/train/*/*_leftImg8bit.png");
  folder.set_train_labels("gtFine/train/*/*_gtFine_labelIds.png");
  folder.set_val_images("leftImg8bit/val/*/*_leftImg8bit.png");
  folder.set_val_labels("gtFine/val/*/*_gtFine_labelIds.png");
  for (int k = 0; k < 19; ++k) {
    FolderClass& c = *folder.add_classes();
    c.set_name(absl::StrCat("own", k));
    for (int id = k; id < 34; id += 19) c.add_values(id);
  }
  options_.output_dir = root_ + "/own";
  options_.write_predictions = true;
  std::ostringstream own_console;
  const auto evaluation =
      EvaluateExperiment(experiment_, options_, own_console);
  ASSERT_THAT(evaluation, IsOk());
  ASSERT_TRUE(evaluation->own_classes.has_value());
  EXPECT_THAT(own_console.str(), AllOf(HasSubstr("own18"), HasSubstr("mIoU")));
  const auto json = ReadFile(root_ + "/own/metrics.json");
  ASSERT_THAT(json, IsOk());
  EXPECT_EQ(*json, OwnClassesJson(*evaluation->own_classes));
  const auto html = ReadFile(root_ + "/own/report.html");
  ASSERT_THAT(html, IsOk());
  EXPECT_THAT(*html, AllOf(HasSubstr("own18"), HasSubstr("Semantic: confusion"),
                           HasSubstr("<figcaption>")));
  EXPECT_TRUE(DirectoryExists(root_ + "/own/predictions/semantic"));
  options_.split = "train";
  const auto train = EvaluateExperiment(experiment_, options_, own_console);
  ASSERT_THAT(train, IsOk());
  EXPECT_NE(train->own_classes->counts, evaluation->own_classes->counts);
  options_.split = "test";
  EXPECT_THAT(
      EvaluateExperiment(experiment_, options_, own_console),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("--split=test"), HasSubstr("\"train\""))));
}

TEST_F(EvaluateExperimentTest, SaysWhatIsWrongWithTheWeights) {
  std::ostringstream console;
  options_.weights = root_ + "/none.safetensors";
  EXPECT_THAT(EvaluateExperiment(experiment_, options_, console),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
  options_.weights = "";
  ASSERT_THAT(CreateDirectories(experiment_.output_dir()), IsOk());
  EXPECT_THAT(
      EvaluateExperiment(experiment_, options_, console),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("no weights in")));
  options_.weights = root_ + "/model.safetensors";
  experiment_.mutable_model()->set_num_classes(7);
  EXPECT_THAT(
      EvaluateExperiment(experiment_, options_, console),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("class_embed")));
}

}  // namespace
}  // namespace mask2former
