#include "mask2former/data/check_cityscapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/core.hpp>
#include <string>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/testing/tiny_cityscapes.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CheckCityscapesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(WriteTinyCityscapes(root_), IsOk());
    config_.set_root(root_);
  }

  std::string Path(const std::string& split, int64_t index,
                   const std::string& suffix) const {
    return TinyCityscapesPath(root_, "gtFine", split, index, suffix);
  }

  std::string root_;
  DataConfig config_;
};

TEST_F(CheckCityscapesTest, AGoodTreeIsOk) {
  EXPECT_THAT(CheckCityscapes(config_, {100, true}), IsOk());
}

TEST_F(CheckCityscapesTest, ListsProblemsOfBothSplitsAtOnce) {
  std::filesystem::remove(Path("train", 1, "gtFine_labelIds"));
  std::filesystem::remove(Path("val", 1, "gtFine_instanceIds"));
  ASSERT_THAT(WritePngAtomically(Path("train", 0, "gtFine_labelIds"),
                                 cv::Mat(64, 128, CV_8UC1, cv::Scalar(40))),
              IsOk());
  ASSERT_THAT(WritePngAtomically(Path("val", 0, "gtFine_instanceIds"),
                                 cv::Mat(64, 128, CV_8UC1, cv::Scalar(7))),
              IsOk());
  EXPECT_THAT(CheckCityscapes(config_, {100, true}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(root_ + " has 4 problems"),
                             HasSubstr(Path("train", 1, "gtFine_labelIds") +
                                       " is missing"),
                             HasSubstr(Path("val", 1, "gtFine_instanceIds") +
                                       " is missing, the evaluation needs it"),
                             HasSubstr(Path("train", 0, "gtFine_labelIds") +
                                       " has 8192 pixels"),
                             HasSubstr(Path("val", 0, "gtFine_instanceIds") +
                                       " is 8-bit gray"))));
  // Instance ids are not needed for training alone.
  EXPECT_THAT(CheckCityscapes(config_, {100, false}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has 2 problems")));
}

TEST_F(CheckCityscapesTest, InstanceIdsOfAnotherSize) {
  ASSERT_THAT(WritePngAtomically(Path("val", 0, "gtFine_instanceIds"),
                                 cv::Mat(64, 64, CV_16UC1, cv::Scalar(7))),
              IsOk());
  EXPECT_THAT(CheckCityscapes(config_, {100, true}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("is 64 x 64 pixels"),
                             HasSubstr("is 64 x 128"))));
}

TEST_F(CheckCityscapesTest, AColourLabelAnywhereIsFoundBeforeTraining) {
  ASSERT_THAT(
      WritePngAtomically(Path("train", 3, "gtFine_labelIds"),
                         cv::Mat(64, 128, CV_8UC3, cv::Scalar(1, 2, 3))),
      IsOk());
  // Headers are always read.
  EXPECT_THAT(
      CheckCityscapes(config_, {0, false}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("has 1 problem:"), HasSubstr("is 8-bit RGB"))));
}

TEST_F(CheckCityscapesTest, ReadsOnlyAsManyLabelsAsAsked) {
  ASSERT_THAT(WritePngAtomically(Path("train", 3, "gtFine_labelIds"),
                                 cv::Mat(64, 128, CV_8UC1, cv::Scalar(40))),
              IsOk());
  EXPECT_THAT(CheckCityscapes(config_, {1, false}), IsOk());
  EXPECT_THAT(CheckCityscapes(config_, {4, false}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has 1 problem:")));
  EXPECT_FALSE(CheckCityscapes(config_).ok());
}

TEST_F(CheckCityscapesTest, LooksAtTheFilesOfTheTask) {
  const std::string ids = Path("train", 0, "gtFine_instanceIds");
  ASSERT_THAT(
      WritePngAtomically(ids, cv::Mat(64, 128, CV_16UC1, cv::Scalar(99))),
      IsOk());
  const std::string stem = Path("train", 2, "gtFine_");
  const std::string polygons =
      stem.substr(0, stem.size() - 4) + "polygons.json";
  ASSERT_THAT(WriteFileAtomically(
                  polygons, R"({"imgHeight": 64, "imgWidth": 128, "objects":
                            [{"label": "dragon", "polygon": []}]})"),
              IsOk());
  EXPECT_THAT(CheckCityscapes(config_), IsOk());
  config_.set_task(DataConfig::PANOPTIC);
  EXPECT_THAT(CheckCityscapes(config_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("has 1 problem:"),
                             HasSubstr(ids + " holds instance ids of no"))));
  config_.set_task(DataConfig::INSTANCE);
  EXPECT_THAT(CheckCityscapes(config_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("has 1 problem:"),
                             HasSubstr(polygons + ", objects[0]: label"))));
  config_.set_instance_source(DataConfig::INSTANCE_IDS);
  EXPECT_FALSE(CheckCityscapes(config_).ok());
  std::filesystem::remove(polygons);
  config_.set_instance_source(DataConfig::POLYGONS);
  EXPECT_THAT(CheckCityscapes(config_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(polygons + " is missing")));
}

TEST_F(CheckCityscapesTest, LabelsThatAnEvaluationOfAPanopticModelReads) {
  config_.set_task(DataConfig::PANOPTIC);
  std::filesystem::remove(Path("val", 0, "gtFine_labelIds"));
  ASSERT_THAT(WritePngAtomically(Path("val", 1, "gtFine_labelIds"),
                                 cv::Mat(64, 128, CV_8UC1, cv::Scalar(40))),
              IsOk());
  std::filesystem::remove(Path("train", 0, "gtFine_labelIds"));  // Not read.
  EXPECT_THAT(CheckCityscapes(config_), IsOk());
  CityscapesCheckOptions options;
  options.needs_labels = true;
  const auto finds_both = StatusIs(
      absl::StatusCode::kInvalidArgument,
      AllOf(HasSubstr("has 2 problems"),
            HasSubstr(Path("val", 0, "gtFine_labelIds") + " is missing"),
            HasSubstr(Path("val", 1, "gtFine_labelIds") + " has 8192 pixels")));
  EXPECT_THAT(CheckCityscapes(config_, options), finds_both);
  // Also where both splits are one.
  config_.set_train_split("val");
  EXPECT_THAT(CheckCityscapes(config_, options), finds_both);
}

TEST_F(CheckCityscapesTest, InstanceIdsThatAnEvaluationAfterPolygonsReads) {
  config_.set_task(DataConfig::INSTANCE);
  std::filesystem::remove(Path("val", 0, "gtFine_instanceIds"));
  ASSERT_THAT(WritePngAtomically(Path("val", 1, "gtFine_instanceIds"),
                                 cv::Mat(64, 128, CV_16UC1, cv::Scalar(99))),
              IsOk());
  std::filesystem::remove(Path("train", 0, "gtFine_instanceIds"));
  EXPECT_THAT(CheckCityscapes(config_), IsOk());
  CityscapesCheckOptions options;
  options.needs_instance_ids = true;
  EXPECT_THAT(
      CheckCityscapes(config_, options),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("has 2 problems"),
                     HasSubstr(Path("val", 0, "gtFine_instanceIds") +
                               " is missing, the evaluation needs it"),
                     HasSubstr(Path("val", 1, "gtFine_instanceIds") +
                               " holds instance ids of no label: 99"))));
}

TEST_F(CheckCityscapesTest, AMissingArchiveOfBothSplits) {
  std::filesystem::remove_all(root_ + "/gtFine");
  EXPECT_THAT(CheckCityscapes(config_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("has 1 problem:"),
                             HasSubstr("gtFine_trainvaltest.zip"))));
}

}  // namespace
}  // namespace mask2former
