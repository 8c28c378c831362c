#include "mask2former/eval/prediction_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class FindPredictionsTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    truth_ = root_ + "/gtFine/val";
    results_ = root_ + "/results";
    ASSERT_THAT(CreateDirectories(truth_), IsOk());
    ASSERT_THAT(CreateDirectories(results_), IsOk());
  }

  void Touch(const std::string& path) {
    ASSERT_THAT(CreateDirectories(path.substr(0, path.rfind('/'))), IsOk());
    ASSERT_THAT(WriteFileAtomically(path, ""), IsOk());
  }

  void AddTruth(const std::string& name) {
    const std::string city = name.substr(0, name.find('_'));
    const std::string stem = absl::StrCat(truth_, "/", city, "/", name);
    Touch(stem + "_gtFine_labelIds.png");
    Touch(stem + "_gtFine_instanceIds.png");
    Touch(stem + "_gtFine_color.png");
  }

  std::string root_, truth_, results_;
};

TEST_F(FindPredictionsTest, FindsOnePredictionAtAnyDepthForEachImage) {
  AddTruth("ulm_000001_000019");
  AddTruth("bonn_000000_000019");
  AddTruth("ulm_000000_000019");
  Touch(truth_ + "/.hidden/x_000000_000000_gtFine_labelIds.png");
  Touch(results_ + "/ulm_000000_000019_leftImg8bit_pred.png");
  Touch(results_ + "/a/b/ulm_000001_000019.png");
  Touch(results_ + "/a/bonn_000000_000019_labelIds.png");
  Touch(results_ + "/a/bonn_000000_000019_pred.txt");
  Touch(results_ + "/a/berlin_000000_000019_pred.png");
  const auto files = FindPredictions(truth_, results_ + "/");
  ASSERT_THAT(files, IsOk());
  ASSERT_EQ(files->size(), 3u);
  EXPECT_EQ((*files)[0].name, "bonn_000000_000019");
  EXPECT_EQ((*files)[0].labels,
            truth_ + "/bonn/bonn_000000_000019_gtFine_labelIds.png");
  EXPECT_EQ((*files)[0].instances,
            truth_ + "/bonn/bonn_000000_000019_gtFine_instanceIds.png");
  EXPECT_EQ((*files)[0].prediction,
            results_ + "/a/bonn_000000_000019_labelIds.png");
  EXPECT_EQ((*files)[1].prediction,
            results_ + "/ulm_000000_000019_leftImg8bit_pred.png");
  EXPECT_EQ((*files)[2].prediction, results_ + "/a/b/ulm_000001_000019.png");
}

TEST_F(FindPredictionsTest, FindsTextFilesForInstances) {
  Touch(truth_ + "/ulm/ulm_000000_000019_gtFine_instanceIds.png");
  Touch(results_ + "/a/ulm_000000_000019_pred.txt");
  Touch(results_ + "/a/ulm_000000_000019_0.png");
  const auto files =
      FindPredictions(truth_, results_, PredictionKind::kInstances);
  ASSERT_THAT(files, IsOk());
  ASSERT_EQ(files->size(), 1u);
  EXPECT_EQ((*files)[0].instances,
            truth_ + "/ulm/ulm_000000_000019_gtFine_instanceIds.png");
  EXPECT_EQ((*files)[0].prediction, results_ + "/a/ulm_000000_000019_pred.txt");
  AddTruth("bonn_000000_000019");
  EXPECT_THAT(
      FindPredictions(truth_, results_, PredictionKind::kInstances),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("bonn_000000_000019_gtFine_instanceIds.png has no "
                         "prediction: no file bonn_000000_000019*.txt")));
}

TEST_F(FindPredictionsTest, DoesNotFollowLinksToFolders) {
  AddTruth("ulm_000000_000019");
  Touch(results_ + "/ulm_000000_000019_pred.png");
  ASSERT_EQ(symlink(".", (results_ + "/again").c_str()), 0);
  EXPECT_THAT(FindPredictions(truth_, results_), IsOk());
}

TEST_F(FindPredictionsTest, ListsWhatIsMissingAndWhatIsThereTwice) {
  AddTruth("ulm_000000_000019");
  AddTruth("ulm_000001_000019");
  AddTruth("ulm_000002_000019");
  ASSERT_EQ(
      unlink(
          (truth_ + "/ulm/ulm_000002_000019_gtFine_instanceIds.png").c_str()),
      0);
  Touch(results_ + "/ulm_000000_000019_pred.png");
  Touch(results_ + "/old/ulm_000000_000019_pred.png");
  Touch(results_ + "/ulm_000002_000019_pred.png");
  EXPECT_THAT(
      FindPredictions(truth_, results_),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("3 problems with the files in"),
                     HasSubstr("(2 of 3 images have predictions)"),
                     HasSubstr("ulm_000000_000019_gtFine_labelIds.png has 2 "
                               "predictions, leave one: "),
                     HasSubstr("/results/ulm_000000_000019_pred.png"),
                     HasSubstr("/results/old/ulm_000000_000019_pred.png"),
                     HasSubstr("ulm_000001_000019_gtFine_labelIds.png has no "
                               "prediction: no file ulm_000001_000019*.png"),
                     HasSubstr("ulm_000002_000019_gtFine_labelIds.png has no "
                               "instance image"))));
}

TEST_F(FindPredictionsTest, ShowsTheFirstTenProblems) {
  for (int i = 10; i < 40; ++i) {
    AddTruth(absl::StrCat("ulm_0000", i, "_000019"));
  }
  Touch(results_ + "/ulm_000010_000019_pred.png");
  EXPECT_THAT(FindPredictions(truth_, results_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("29 problems"), HasSubstr("_000020_"),
                             Not(HasSubstr("_000021_")),
                             HasSubstr("\n  and 19 more"))));
}

TEST_F(FindPredictionsTest, SaysWhatThePredictionsAreNamedInstead) {
  AddTruth("ulm_000000_000019");
  EXPECT_THAT(FindPredictions(truth_, results_),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("there is no PNG file in"),
                             HasSubstr("ulm_000000_000019*.png"))));
  Touch(results_ + "/0001.png");
  EXPECT_THAT(FindPredictions(truth_, results_),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("none of the 1 PNG files"),
                             HasSubstr("wanted ulm_000000_000019*.png"),
                             HasSubstr("/results/0001.png"))));
  EXPECT_THAT(FindPredictions(truth_, root_ + "/none"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none\"")));
}

TEST_F(FindPredictionsTest, SaysWhereTheGroundTruthIs) {
  AddTruth("ulm_000000_000019");
  EXPECT_THAT(FindPredictions(root_, results_),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("there is no ground truth in"),
                             HasSubstr("/*/*_gtFine_labelIds.png"),
                             HasSubstr("did you mean \"" + truth_ + "\"?"))));
  EXPECT_THAT(FindPredictions(root_ + "/gtFine", results_),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("did you mean \"" + truth_ + "\"?")));
  EXPECT_THAT(FindPredictions(truth_ + "/ulm", results_),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("name the folder above")));
  EXPECT_THAT(FindPredictions(results_, results_),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("such as /data/cityscapes/gtFine/val")));
}

}  // namespace
}  // namespace mask2former
