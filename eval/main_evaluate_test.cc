#include "mask2former/eval/main_evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <filesystem>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
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

TEST_F(EvaluateExperimentTest, PredictsASplitWithoutLabels) {
  std::ostringstream console;
  ASSERT_THAT(EvaluateExperiment(experiment_, options_, console), IsOk());
  // The training pictures become a test split.
  std::filesystem::rename(root_ + "/data/leftImg8bit/train",
                          root_ + "/data/leftImg8bit/test");
  experiment_.mutable_data()->clear_generated();
  options_.split = "test";
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
