#include "mask2former/data/cityscapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/cityscapes_dataset.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/testing/tiny_cityscapes.h"
#include "mask2former/data/testing/zip_folder.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kIds = DataConfig::LABEL_IDS;
constexpr auto kTrainIds = DataConfig::LABEL_TRAIN_IDS;

class CityscapesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    TinyCityscapesOptions options;
    options.train_ids = true;
    ASSERT_THAT(WriteTinyCityscapes(root_, options), IsOk());
  }

  std::string LabelIds(int64_t index) const {
    return TinyCityscapesPath(root_, "gtFine", "train", index,
                              "gtFine_labelIds");
  }

  absl::StatusOr<Sample> Load(int64_t index,
                              DataConfig::LabelSource source = kIds) const {
    auto dataset = CityscapesDataset::Create(root_, "train", source);
    if (!dataset.ok()) return dataset.status();
    return (*dataset)->Load(index);
  }

  std::string root_;
};

TEST_F(CityscapesTest, ListsByCityAndName) {
  const auto frames = ListCityscapes(root_ + "/", "train");
  ASSERT_THAT(frames, IsOk());
  std::vector<std::string> names;
  for (const CityscapesFrame& frame : *frames) names.push_back(frame.name);
  EXPECT_THAT(names, ElementsAre("aachen_000000_000019", "aachen_000002_000019",
                                 "ulm_000001_000019", "ulm_000003_000019"));
  const CityscapesFrame& ulm = (*frames)[2];
  EXPECT_EQ(ulm.city, "ulm");
  EXPECT_EQ(ulm.image_path,
            root_ + "/leftImg8bit/train/ulm/ulm_000001_000019_leftImg8bit.png");
  EXPECT_EQ(ulm.label_ids_path,
            root_ + "/gtFine/train/ulm/ulm_000001_000019_gtFine_labelIds.png");
  EXPECT_EQ(
      ulm.instance_ids_path,
      root_ + "/gtFine/train/ulm/ulm_000001_000019_gtFine_instanceIds.png");
}

TEST_F(CityscapesTest, LoadsPictureAndTrainIds) {
  const auto sample = Load(0);
  ASSERT_THAT(sample, IsOk());
  EXPECT_EQ(sample->name, "aachen_000000_000019");
  EXPECT_EQ(sample->image.size(), cv::Size(128, 64));
  EXPECT_EQ(sample->image.type(), CV_8UC3);
  ASSERT_EQ(sample->label.type(), CV_8UC1);
  EXPECT_EQ(sample->label.at<uint8_t>(0, 0), 10);      // Sky.
  EXPECT_EQ(sample->label.at<uint8_t>(63, 127), 255);  // Out of roi.
  // Sky is (70, 130, 180) in R, G, B, with noise of 20.
  EXPECT_LE(sample->image.at<cv::Vec3b>(0, 0)[0], 90);
  EXPECT_GE(sample->image.at<cv::Vec3b>(0, 0)[2], 160);
}

TEST_F(CityscapesTest, TrainIdsAreTheSameFromEitherSource) {
  for (int64_t i = 0; i < 4; ++i) {
    const auto ids = Load(i, kIds);
    const auto train_ids = Load(i, kTrainIds);
    ASSERT_THAT(ids, IsOk());
    ASSERT_THAT(train_ids, IsOk());
    EXPECT_EQ(cv::norm(ids->label, train_ids->label, cv::NORM_INF), 0.0);
    EXPECT_NE(ids->label_path, train_ids->label_path);
  }
}

TEST_F(CityscapesTest, NamesTheArchiveThatIsMissing) {
  std::filesystem::remove_all(root_ + "/gtFine");
  EXPECT_THAT(CityscapesDataset::Create(root_, "train", kIds),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("gtFine_trainvaltest.zip"),
                             HasSubstr("unpack it into " + root_))));
  std::filesystem::remove_all(root_ + "/leftImg8bit");
  EXPECT_THAT(CityscapesDataset::Create(root_, "train", kIds),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("leftImg8bit_trainvaltest.zip")));
}

TEST_F(CityscapesTest, ReadsTheArchivesTheSameWay) {
  std::vector<Sample> unpacked;
  for (int64_t i = 0; i < 4; ++i) unpacked.push_back(Load(i).value());
  for (const std::string kind : {"gtFine", "leftImg8bit"}) {
    // First one of them is an archive, then both.
    ASSERT_THAT(
        ZipFolder(root_, kind, root_ + "/" + kind + "_trainvaltest.zip"),
        IsOk());
    std::filesystem::remove_all(root_ + "/" + kind);
    for (int64_t i = 0; i < 4; ++i) {
      const auto zipped = Load(i);
      ASSERT_THAT(zipped, IsOk());
      EXPECT_EQ(zipped->name, unpacked[i].name);
      EXPECT_EQ(cv::norm(zipped->image, unpacked[i].image, cv::NORM_INF), 0);
      EXPECT_EQ(cv::norm(zipped->label, unpacked[i].label, cv::NORM_INF), 0);
    }
  }
  EXPECT_EQ(Load(0)->label_path,
            root_ +
                "/gtFine_trainvaltest.zip/gtFine/train/aachen/"
                "aachen_000000_000019_gtFine_labelIds.png");
  EXPECT_THAT(
      ListCityscapes(root_, "test"),
      StatusIs(absl::StatusCode::kNotFound,
               AllOf(HasSubstr("no split \"test\""), HasSubstr("train, val"))));
}

TEST_F(CityscapesTest, AnArchiveCutInHalf) {
  const std::string archive = root_ + "/gtFine_trainvaltest.zip";
  ASSERT_THAT(ZipFolder(root_, "gtFine", archive), IsOk());
  std::filesystem::remove_all(root_ + "/gtFine");
  const std::string bytes = ReadFile(archive).value();
  ASSERT_THAT(WriteFileAtomically(archive, bytes.substr(0, bytes.size() / 2)),
              IsOk());
  EXPECT_THAT(Load(0), StatusIs(absl::StatusCode::kDataLoss,
                                AllOf(HasSubstr(archive),
                                      HasSubstr("download it again"))));
}

TEST_F(CityscapesTest, NamesTheFolderThatIsMissing) {
  EXPECT_THAT(
      ListCityscapes(root_ + "/nowhere", "train"),
      StatusIs(absl::StatusCode::kNotFound, AllOf(HasSubstr(root_ + "/nowhere"),
                                                  HasSubstr("set data.root"))));
  EXPECT_THAT(
      ListCityscapes(root_, "test"),
      StatusIs(absl::StatusCode::kNotFound,
               AllOf(HasSubstr("no split \"test\""), HasSubstr("train, val"))));
}

TEST_F(CityscapesTest, ListsPicturesWithoutLabelsIfAsked) {
  std::filesystem::rename(root_ + "/leftImg8bit/val",
                          root_ + "/leftImg8bit/test");
  EXPECT_THAT(ListCityscapes(root_, "test"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("gtFine")));
  const auto frames =
      ListCityscapes(root_, "test", CityscapesLabelFolder::kIfThere);
  ASSERT_THAT(frames, IsOk());
  EXPECT_TRUE(FileExists(frames->front().image_path));
  EXPECT_EQ(frames->front().label_ids_path,
            absl::StrCat(root_, "/gtFine/test/", frames->front().city, "/",
                         frames->front().name, "_gtFine_labelIds.png"));
  EXPECT_THAT(FindMissingLabels(*frames, kIds),
              testing::SizeIs(frames->size()));
  // Pictures must be there, and archives whole.
  EXPECT_THAT(ListCityscapes(root_, "val", CityscapesLabelFolder::kIfThere),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("leftImg8bit")));
  std::filesystem::remove_all(root_ + "/gtFine");
  ASSERT_THAT(WriteFileAtomically(root_ + "/gtFine_trainvaltest.zip", "half"),
              IsOk());
  EXPECT_THAT(ListCityscapes(root_, "test", CityscapesLabelFolder::kIfThere),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("gtFine")));
}

TEST_F(CityscapesTest, PointsToTheFolderBelow) {
  const std::string above = root_ + "_above";
  std::filesystem::remove_all(above);
  ASSERT_THAT(WriteTinyCityscapes(above + "/cityscapes"), IsOk());
  EXPECT_THAT(ListCityscapes(above, "train"),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("set data.root to " + above + "/cityscapes")));
}

TEST_F(CityscapesTest, AnEmptyFolderIsAnError) {
  std::filesystem::remove_all(root_ + "/leftImg8bit/val/tinyville");
  EXPECT_THAT(ListCityscapes(root_, "val"),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("no */*_leftImg8bit.png")));
}

TEST_F(CityscapesTest, ListsEveryPictureWithoutLabel) {
  std::filesystem::remove(LabelIds(0));
  std::filesystem::remove(LabelIds(1));
  EXPECT_THAT(
      CityscapesDataset::Create(root_, "train", kIds),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("has 2 problems"),
                     HasSubstr(LabelIds(0) + " is missing"),
                     HasSubstr(LabelIds(1) + " is missing"),
                     HasSubstr("unpack gtFine_trainvaltest.zip again"),
                     HasSubstr("set data.label_source to LABEL_TRAIN_IDS"))));
}

TEST_F(CityscapesTest, TrainIdsThatWereNeverMade) {
  const std::string path =
      TinyCityscapesPath(root_, "gtFine", "train", 3, "gtFine_labelTrainIds");
  std::filesystem::remove(path);
  EXPECT_THAT(CityscapesDataset::Create(root_, "train", kTrainIds),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("has 1 problem:"), HasSubstr(path),
                             HasSubstr("csCreateTrainIdLabelImgs"),
                             HasSubstr("set data.label_source to LABEL_IDS"))));
}

TEST_F(CityscapesTest, ColourImageAsLabel) {
  ASSERT_THAT(
      WritePngAtomically(LabelIds(0), cv::Mat(64, 128, CV_8UC3, cv::Scalar())),
      IsOk());
  EXPECT_THAT(Load(0), StatusIs(absl::StatusCode::kInvalidArgument,
                                AllOf(HasSubstr(LabelIds(0)),
                                      HasSubstr("this is a colour image"))));
}

TEST_F(CityscapesTest, SixteenBitLabel) {
  ASSERT_THAT(
      WritePngAtomically(LabelIds(0), cv::Mat(64, 128, CV_16UC1, cv::Scalar())),
      IsOk());
  EXPECT_THAT(Load(0),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(LabelIds(0)), HasSubstr("16-bit"))));
}

TEST_F(CityscapesTest, TruncatedPicture) {
  const std::string path =
      TinyCityscapesPath(root_, "leftImg8bit", "train", 0, "leftImg8bit");
  const std::string bytes = ReadFile(path).value();
  ASSERT_THAT(WriteFileAtomically(path, bytes.substr(0, bytes.size() / 2)),
              IsOk());
  EXPECT_THAT(Load(0),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(path), HasSubstr("is cut short"))));
}

TEST_F(CityscapesTest, SizesThatDiffer) {
  ASSERT_THAT(
      WritePngAtomically(LabelIds(0), cv::Mat(64, 126, CV_8UC1, cv::Scalar(7))),
      IsOk());
  EXPECT_THAT(Load(0), StatusIs(absl::StatusCode::kInvalidArgument,
                                AllOf(HasSubstr(LabelIds(0) + " is 64 x 126"),
                                      HasSubstr("is 64 x 128"))));
}

TEST_F(CityscapesTest, LabelIdOutsideTheTable) {
  cv::Mat label(64, 128, CV_8UC1, cv::Scalar(33));
  label.at<uint8_t>(5, 9) = 40;
  label.at<uint8_t>(6, 0) = 34;
  ASSERT_THAT(WritePngAtomically(LabelIds(0), label), IsOk());
  EXPECT_THAT(
      Load(0),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr(LabelIds(0) + " has 2 pixels"),
                     HasSubstr("(9, 5)"), HasSubstr("table: 40, 34;"),
                     HasSubstr("set data.label_source to LABEL_TRAIN_IDS"))));
}

TEST_F(CityscapesTest, TrainIdOutsideTheTable) {
  const std::string path =
      TinyCityscapesPath(root_, "gtFine", "train", 0, "gtFine_labelTrainIds");
  cv::Mat label(64, 128, CV_8UC1, cv::Scalar(255));
  label.at<uint8_t>(0, 0) = 18;
  ASSERT_THAT(WritePngAtomically(path, label), IsOk());
  EXPECT_THAT(Load(0, kTrainIds), IsOk());
  label.at<uint8_t>(63, 127) = 19;
  ASSERT_THAT(WritePngAtomically(path, label), IsOk());
  EXPECT_THAT(Load(0, kTrainIds),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(path), HasSubstr("table: 19;"),
                             HasSubstr("train ids are 0..18"))));
}

}  // namespace
}  // namespace mask2former
