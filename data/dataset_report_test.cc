#include "mask2former/data/dataset_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/testing/tiny_cityscapes.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class DatasetReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(WriteTinyCityscapes(root_), IsOk());
    config_.set_root(root_);
    options_.splits = {"val"};  // No official city.
  }

  std::string Path(int64_t index, const std::string& suffix) const {
    return TinyCityscapesPath(root_, "gtFine", "val", index, suffix);
  }

  std::string root_;
  DataConfig config_;
  DatasetReportOptions options_;
};

TEST_F(DatasetReportTest, CountsWhatIsThere) {
  int64_t told = 0;
  options_.progress = [&told](const std::string& split, int64_t done,
                              int64_t total) {
    EXPECT_EQ(split, "val");
    EXPECT_EQ(total, 2);
    told = done;
  };
  const auto report = MakeDatasetReport(config_, options_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(told, 2);
  EXPECT_FALSE(report->has_problems());
  ASSERT_THAT(report->splits, SizeIs(1));
  const SplitReport& val = report->splits[0];
  EXPECT_EQ(val.pictures, 2);
  EXPECT_EQ(val.labels, 2);
  EXPECT_EQ(val.looked_at, 2);
  EXPECT_EQ(val.expected, -1);
  EXPECT_THAT(val.image_kinds, ElementsAre(Pair("64 x 128 8-bit RGB", 2)));
  EXPECT_THAT(val.label_kinds, ElementsAre(Pair("64 x 128 8-bit gray", 2)));
  EXPECT_EQ(val.pixels, 2 * 64 * 128);
  EXPECT_EQ(val.ignored_pixels, 2 * 2 * 128);  // The lower border.
  int64_t sum = val.ignored_pixels;
  for (const ClassReport& c : val.classes) sum += c.pixels;
  EXPECT_EQ(sum, val.pixels);
  EXPECT_EQ(val.classes[11].name, "person");
  EXPECT_EQ(val.classes[11].pixels, 2 * 9 * 32);
  EXPECT_EQ(val.classes[11].pictures, 2);
  EXPECT_EQ(val.classes[11].instances, 2);
  EXPECT_EQ(val.classes[0].instances, 0);
  EXPECT_THAT(val.notes, Contains("class \"fence\" is never seen"));
  EXPECT_THAT(val.notes, SizeIs(15));
  EXPECT_GT(val.image_seconds, 0);
}

TEST_F(DatasetReportTest, ListsWhatIsWrong) {
  std::filesystem::remove(Path(1, "gtFine_labelIds"));
  ASSERT_THAT(WritePngAtomically(Path(0, "gtFine_labelIds"),
                                 cv::Mat(64, 128, CV_8UC1, cv::Scalar(77))),
              IsOk());
  ASSERT_THAT(WritePngAtomically(Path(0, "gtFine_instanceIds"),
                                 cv::Mat(60, 128, CV_16UC1, cv::Scalar(99))),
              IsOk());
  const auto report = MakeDatasetReport(config_, options_);
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->has_problems());
  EXPECT_THAT(
      report->splits[0].problems,
      ElementsAre(HasSubstr(Path(1, "gtFine_labelIds") + " is missing"),
                  AllOf(HasSubstr(Path(0, "gtFine_labelIds")),
                        HasSubstr("outside the table: 77")),
                  HasSubstr(Path(0, "gtFine_instanceIds") + " is 60 x 128"),
                  HasSubstr("instance ids of no label: 99")));
  EXPECT_EQ(report->splits[0].labels, 1);
  EXPECT_EQ(report->splits[0].labels_decoded, 1);
  EXPECT_THAT(report->ToText(),
              AllOf(HasSubstr("PROBLEM: "), HasSubstr("4 problems")));
}

TEST_F(DatasetReportTest, KnowsTheOfficialSplits) {
  options_.splits = {"train"};  // Has pictures of aachen.
  const auto report = MakeDatasetReport(config_, options_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->splits[0].expected, 2975);
  EXPECT_THAT(report->splits[0].problems,
              ElementsAre(HasSubstr("4 pictures, but the official split has "
                                    "2975")));
}

TEST_F(DatasetReportTest, AnyOfficialCityTells) {
  options_.splits = {"train"};
  for (const char* kind : {"leftImg8bit", "gtFine"}) {
    std::filesystem::remove_all(
        absl::StrCat(root_, "/", kind, "/train/aachen"));
  }
  const auto report = MakeDatasetReport(config_, options_);  // Of ulm.
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->splits[0].expected, 2975);
  EXPECT_THAT(report->ToText(),
              HasSubstr("missing: 2973 pictures of the official split"));
}

TEST_F(DatasetReportTest, AnOfficialDataSetWithoutItsTestSplit) {
  const auto report = MakeDatasetReport(config_);
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->notes, ElementsAre(HasSubstr("no split test")));
  EXPECT_THAT(report->ToText(), HasSubstr("note: there is no split test"));
  // Nothing is said where nobody expects one.
  EXPECT_THAT(MakeDatasetReport(config_, options_)->notes, IsEmpty());
  for (const char* kind : {"leftImg8bit", "gtFine"}) {
    for (const char* city : {"aachen", "ulm"}) {
      const std::string folder = absl::StrCat(root_, "/", kind, "/train/");
      std::filesystem::rename(folder + city, folder + "new_" + city);
    }
  }
  EXPECT_THAT(MakeDatasetReport(config_)->notes, IsEmpty());
}

TEST_F(DatasetReportTest, LabelsWithoutTheirPicture) {
  std::filesystem::remove(
      TinyCityscapesPath(root_, "leftImg8bit", "val", 1, "leftImg8bit"));
  const auto report = MakeDatasetReport(config_, options_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->splits[0].pictures, 1);
  EXPECT_EQ(report->splits[0].labels_without_picture, 1);
  EXPECT_THAT(
      report->splits[0].problems,
      ElementsAre(HasSubstr(Path(1, "gtFine_labelIds") + " has no picture")));
  EXPECT_THAT(report->ToText(), HasSubstr("missing: 1 pictures of labels"));
}

TEST_F(DatasetReportTest, ASplitThatCannotBeReadIsAProblemOfItsOwn) {
  options_.splits = {"val", "elsewhere"};
  const auto report = MakeDatasetReport(config_, options_);
  ASSERT_THAT(report, IsOk());
  ASSERT_THAT(report->splits, SizeIs(2));
  EXPECT_THAT(report->splits[0].problems, IsEmpty());
  EXPECT_EQ(report->splits[0].looked_at, 2);
  EXPECT_EQ(report->splits[1].name, "elsewhere");
  EXPECT_THAT(report->splits[1].problems,
              ElementsAre(HasSubstr("no split \"elsewhere\"")));
  options_.splits = {"elsewhere", "nowhere"};
  EXPECT_THAT(
      MakeDatasetReport(config_, options_),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("\"elsewhere\"")));
}

TEST_F(DatasetReportTest, CountsRawValuesAndNamesTheFirstFileOutside) {
  cv::Mat label(64, 128, CV_8UC1, cv::Scalar(7));
  label.row(0).setTo(50);
  ASSERT_THAT(WritePngAtomically(Path(1, "gtFine_labelIds"), label), IsOk());
  const auto report = MakeDatasetReport(config_, options_);
  ASSERT_THAT(report, IsOk());
  const SplitReport& val = report->splits[0];
  EXPECT_THAT(val.values, SizeIs(34 + 1));
  EXPECT_EQ(val.values.at(0).name, "unlabeled");
  EXPECT_EQ(val.values.at(0).pixels, 0);
  EXPECT_EQ(val.values.at(3).name, "out of roi");
  EXPECT_EQ(val.values.at(3).pixels, 2 * 128);
  EXPECT_EQ(val.values.at(3).pictures, 1);
  EXPECT_EQ(val.values.at(24).pixels, 9 * 32);
  EXPECT_EQ(val.values.at(33).name, "bicycle");
  const ValueReport& outside = val.values.at(50);
  EXPECT_EQ(outside.name, "outside");
  EXPECT_EQ(outside.pixels, 128);
  EXPECT_EQ(outside.pictures, 1);
  EXPECT_EQ(outside.first_file, Path(1, "gtFine_labelIds"));
  // The rest of the file counts.
  EXPECT_EQ(val.pixels, 2 * 64 * 128);
  EXPECT_GT(val.classes[0].pixels, 63 * 128);
  EXPECT_EQ(val.labels_decoded, 2);
  EXPECT_THAT(report->ToText(),
              AllOf(HasSubstr("out of roi (3)"), HasSubstr("outside (50)"),
                    HasSubstr("the first is " + Path(1, "gtFine_labelIds"))));
}

TEST_F(DatasetReportTest, OfTwoFilesOutsideTheFirstIsNamed) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(WritePngAtomically(Path(i, "gtFine_labelIds"),
                                   cv::Mat(64, 128, CV_8UC1, cv::Scalar(77))),
                IsOk());
  }
  const auto report = MakeDatasetReport(config_, options_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->splits[0].values.at(77).first_file,
            Path(0, "gtFine_labelIds"));
  EXPECT_EQ(report->splits[0].values.at(77).pictures, 2);
}

TEST_F(DatasetReportTest, NothingIsCalledUnseenAfterADamagedLabel) {
  const auto png = ReadFile(Path(1, "gtFine_labelIds"));
  ASSERT_THAT(png, IsOk());
  ASSERT_THAT(WriteFileAtomically(Path(1, "gtFine_labelIds"),
                                  png->substr(0, png->size() / 2)),
              IsOk());
  const auto report = MakeDatasetReport(config_, options_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->splits[0].labels, 2);
  EXPECT_EQ(report->splits[0].labels_decoded, 1);
  EXPECT_THAT(report->splits[0].notes,
              ElementsAre(HasSubstr("1 labels could not be read")));
}

TEST_F(DatasetReportTest, ATestSplitWithoutPublicLabels) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(WritePngAtomically(Path(i, "gtFine_labelIds"),
                                   cv::Mat(64, 128, CV_8UC1, cv::Scalar(3))),
                IsOk());
  }
  const auto report = MakeDatasetReport(config_, options_);
  ASSERT_THAT(report, IsOk());
  EXPECT_FALSE(report->has_problems());
  EXPECT_THAT(report->splits[0].notes,
              ElementsAre(HasSubstr("all pixels are ignored")));
}

TEST_F(DatasetReportTest, LooksAtSomePicturesOnly) {
  options_.max_files = 1;
  const auto report = MakeDatasetReport(config_, options_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->splits[0].looked_at, 1);
  EXPECT_EQ(report->splits[0].pixels, 64 * 128);
  EXPECT_THAT(report->splits[0].notes, IsEmpty());
}

TEST_F(DatasetReportTest, TheTaskSaysWhichFilesAreNeeded) {
  const std::string ids = Path(0, "gtFine_instanceIds");
  std::filesystem::remove(ids);
  EXPECT_FALSE(MakeDatasetReport(config_, options_)->has_problems());
  config_.set_task(DataConfig::PANOPTIC);
  EXPECT_THAT(MakeDatasetReport(config_, options_)->splits[0].problems,
              ElementsAre(HasSubstr(ids + " is missing")));
}

TEST_F(DatasetReportTest, JsonSaysTheSame) {
  const auto report = MakeDatasetReport(config_, options_);
  ASSERT_THAT(report, IsOk());
  const auto json =
      nlohmann::json::parse(report->ToJson(), nullptr, /*exceptions=*/false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_TRUE(json["ok"].get<bool>());
  EXPECT_EQ(json["splits"][0]["pictures"], 2);
  EXPECT_EQ(json["splits"][0]["classes"][11]["instances"], 2);
  EXPECT_FALSE(json["splits"][0].contains("expected"));
  EXPECT_FALSE(json["splits"][0]["missing"].contains("expected"));
  EXPECT_EQ(json["splits"][0]["missing"]["labels"], 0);
  EXPECT_EQ(json["splits"][0]["values"][24]["name"], "person");
  EXPECT_EQ(json["splits"][0]["values"][24]["pixels"], 2 * 9 * 32);
}

TEST_F(DatasetReportTest, JsonSaysWhatIsMissing) {
  options_.splits = {"train"};
  std::filesystem::remove(
      TinyCityscapesPath(root_, "leftImg8bit", "train", 0, "leftImg8bit"));
  for (const int64_t i : {1, 3}) {
    std::filesystem::remove(
        TinyCityscapesPath(root_, "gtFine", "train", i, "gtFine_labelIds"));
  }
  const auto report = MakeDatasetReport(config_, options_);
  ASSERT_THAT(report, IsOk());
  const auto json =
      nlohmann::json::parse(report->ToJson(), nullptr, /*exceptions=*/false);
  ASSERT_FALSE(json.is_discarded());
  const nlohmann::json& missing = json["splits"][0]["missing"];
  EXPECT_EQ(missing["expected"], 2975 - 3);
  EXPECT_EQ(missing["labels"], 2);
  EXPECT_EQ(missing["pictures"], 1);
}

TEST_F(DatasetReportTest, LooksAtFoldersToo) {
  const std::string folder = root_ + "/own";
  for (const char* kind : {"/images", "/masks"}) {
    ASSERT_THAT(CreateDirectories(folder + kind), IsOk());
  }
  ASSERT_THAT(WritePngAtomically(folder + "/images/a.png",
                                 cv::Mat(4, 4, CV_8UC3, cv::Scalar())),
              IsOk());
  cv::Mat mask = cv::Mat::zeros(4, 4, CV_8UC1);
  mask.row(0).setTo(255);
  ASSERT_THAT(WritePngAtomically(folder + "/masks/a.png", mask), IsOk());
  const auto config = ParseTextProtoOrDie<DataConfig>(
      absl::StrCat("root: '", folder, "' folder { ",
                   "train_images: 'images/*.png' train_labels: 'masks/*.png' "
                   "val_images: 'images/*.png' val_labels: 'masks/*.png' "
                   "classes { name: 'sound' values: 0 } "
                   "classes { name: 'crack' values: 255 } "
                   "classes { name: 'hole' values: 7 } }"));
  const auto report = MakeDatasetReport(config);
  ASSERT_THAT(report, IsOk());
  EXPECT_FALSE(report->has_problems());
  ASSERT_THAT(report->splits, SizeIs(2));
  const SplitReport& train = report->splits[0];
  EXPECT_EQ(train.classes[1].pixels, 4);
  EXPECT_THAT(train.notes, ElementsAre("class \"hole\" is never seen"));
  EXPECT_THAT(report->ToText(), HasSubstr("crack"));
}

TEST_F(DatasetReportTest, NothingToReportOn) {
  config_.set_root(root_ + "/nowhere");
  EXPECT_THAT(MakeDatasetReport(config_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nowhere")));
}

}  // namespace
}  // namespace mask2former
