#include "mask2former/data/cityscapes_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/core.hpp>

#include "absl/strings/str_replace.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/testing/tiny_cityscapes.h"
#include "mask2former/data/testing/zip_folder.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CityscapesDatasetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(WriteTinyCityscapes(root_), IsOk());
  }

  static CityscapesOptions Options(
      DataConfig::Task task,
      DataConfig::InstanceSource source = DataConfig::POLYGONS,
      bool drop_without_things = false) {
    CityscapesOptions options;
    options.task = task;
    options.instance_source = source;
    options.drop_without_things = drop_without_things;
    return options;
  }

  absl::StatusOr<Sample> Load(int64_t index,
                              const CityscapesOptions& options) const {
    auto dataset = CityscapesDataset::Create(root_, "train", options);
    if (!dataset.ok()) return dataset.status();
    return (*dataset)->Load(index);
  }

  std::string InstanceIds(int64_t index) const {
    return TinyCityscapesPath(root_, "gtFine", "train", index,
                              "gtFine_instanceIds");
  }
  std::string Polygons(int64_t index) const {
    return absl::StrReplaceAll(InstanceIds(index),
                               {{"instanceIds.png", "polygons.json"}});
  }

  std::string root_;
};

constexpr auto kSemantic = DataConfig::SEMANTIC;
constexpr auto kInstance = DataConfig::INSTANCE;
constexpr auto kPanoptic = DataConfig::PANOPTIC;
constexpr auto kIds = DataConfig::INSTANCE_IDS;

TEST_F(CityscapesDatasetTest, TheSemanticTaskReadsLabelsOnly) {
  for (int i = 0; i < 4; ++i) {
    std::filesystem::remove(InstanceIds(i));
    std::filesystem::remove(Polygons(i));
  }
  const auto sample = Load(0, Options(kSemantic));
  ASSERT_THAT(sample, IsOk());
  EXPECT_FALSE(sample->label.empty());
  EXPECT_TRUE(sample->segment_map.empty());
  EXPECT_THAT(sample->segments, IsEmpty());
}

TEST_F(CityscapesDatasetTest, ThePanopticTaskReadsInstanceIds) {
  std::filesystem::remove(Polygons(0));
  const auto dataset =
      CityscapesDataset::Create(root_, "train", Options(kPanoptic));
  ASSERT_THAT(dataset, IsOk());
  EXPECT_EQ((*dataset)->num_classes(), 19);
  const auto sample = (*dataset)->Load(0);
  ASSERT_THAT(sample, IsOk());
  // Road, sky, person, car; the border is not evaluated.
  ASSERT_THAT(sample->segments, SizeIs(4));
  EXPECT_EQ(sample->segments[3].id, 26000);
  EXPECT_EQ(sample->segments[3].class_id, 13);
  EXPECT_EQ(sample->segment_map.size(), cv::Size(128, 64));
  EXPECT_EQ(sample->segment_map.at<uint16_t>(0, 0), 2);     // Sky.
  EXPECT_EQ(sample->segment_map.at<uint16_t>(63, 127), 0);  // Border.
  EXPECT_TRUE(sample->label.empty());
}

TEST_F(CityscapesDatasetTest, TheInstanceTaskReadsPolygonsOrIds) {
  const auto dataset =
      CityscapesDataset::Create(root_, "train", Options(kInstance));
  ASSERT_THAT(dataset, IsOk());
  EXPECT_EQ((*dataset)->num_classes(), 8);
  // Twice: from the file, then from memory.
  for (int i = 0; i < 2; ++i) {
    const auto sample = (*dataset)->Load(0);
    ASSERT_THAT(sample, IsOk());
    ASSERT_THAT(sample->segments, SizeIs(2));
    EXPECT_EQ(sample->segments[0].class_id, 0);  // The person is in front.
    EXPECT_EQ(sample->segments[1].class_id, 2);
    EXPECT_THAT(sample->segments[0].polygons, SizeIs(1));
    EXPECT_TRUE(sample->segment_map.empty());
    EXPECT_EQ(sample->label_path, Polygons(0));
    EXPECT_EQ(sample->name, "aachen_000000_000019");
    EXPECT_EQ(sample->image.size(), cv::Size(128, 64));
  }
  std::filesystem::remove(Polygons(0));
  const auto ids = Load(0, Options(kInstance, kIds));
  ASSERT_THAT(ids, IsOk());
  ASSERT_THAT(ids->segments, SizeIs(2));
  EXPECT_THAT(ids->segments[0].polygons, IsEmpty());
  EXPECT_FALSE(ids->segment_map.empty());
}

TEST_F(CityscapesDatasetTest, ReadsTheArchivesTheSameWay) {
  const CityscapesOptions all[] = {Options(kPanoptic), Options(kInstance),
                                   Options(kInstance, kIds, true)};
  std::vector<Sample> unpacked;
  for (const auto& options : all) unpacked.push_back(Load(1, options).value());
  for (const std::string kind : {"gtFine", "leftImg8bit"}) {
    ASSERT_THAT(
        ZipFolder(root_, kind, root_ + "/" + kind + "_trainvaltest.zip"),
        IsOk());
    std::filesystem::remove_all(root_ + "/" + kind);
  }
  for (size_t i = 0; i < 3; ++i) {
    const auto zipped = Load(1, all[i]);
    ASSERT_THAT(zipped, IsOk());
    EXPECT_EQ(cv::norm(zipped->image, unpacked[i].image, cv::NORM_INF), 0);
    ASSERT_EQ(zipped->segments.size(), unpacked[i].segments.size());
    for (size_t n = 0; n < zipped->segments.size(); ++n) {
      EXPECT_EQ(zipped->segments[n].id, unpacked[i].segments[n].id);
      EXPECT_EQ(zipped->segments[n].polygons, unpacked[i].segments[n].polygons);
    }
    if (zipped->segment_map.empty()) continue;
    EXPECT_EQ(
        cv::norm(zipped->segment_map, unpacked[i].segment_map, cv::NORM_INF),
        0);
  }
}

TEST_F(CityscapesDatasetTest, NamesTheFilesThatAreMissing) {
  std::filesystem::remove(InstanceIds(1));
  std::filesystem::remove(Polygons(2));
  EXPECT_THAT(Load(0, Options(kPanoptic)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(InstanceIds(1) +
                                       " is missing, data.task PANOPTIC needs"),
                             HasSubstr("unpack gtFine_trainvaltest.zip"))));
  EXPECT_THAT(
      Load(0, Options(kInstance)),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("has 1 problem"), HasSubstr(Polygons(2)))));
}

TEST_F(CityscapesDatasetTest, PicturesWithoutThingsAreLeftOutOnRequest) {
  ASSERT_THAT(
      WriteFileAtomically(
          Polygons(0), R"({"imgHeight": 64, "imgWidth": 128, "objects": []})"),
      IsOk());
  ASSERT_THAT(WritePngAtomically(InstanceIds(0),
                                 cv::Mat(64, 128, CV_16UC1, cv::Scalar(26))),
              IsOk());
  for (const auto source : {DataConfig::POLYGONS, kIds}) {
    const auto all =
        CityscapesDataset::Create(root_, "train", Options(kInstance, source));
    ASSERT_THAT(all, IsOk());
    EXPECT_EQ((*all)->size(), 4);
    const auto sample = (*all)->Load(0);
    ASSERT_THAT(sample, IsOk());
    EXPECT_LE(sample->segments.size(), 1u);  // A group at most.
    const auto kept = CityscapesDataset::Create(
        root_, "train", Options(kInstance, source, true));
    ASSERT_THAT(kept, IsOk());
    EXPECT_EQ((*kept)->size(), 3);
    EXPECT_EQ((*kept)->frames()[0].name, "aachen_000002_000019");
  }
}

TEST_F(CityscapesDatasetTest, NoThingAnywhereIsAnError) {
  for (int i = 0; i < 4; ++i) {
    ASSERT_THAT(WritePngAtomically(InstanceIds(i),
                                   cv::Mat(64, 128, CV_16UC1, cv::Scalar(7))),
                IsOk());
  }
  EXPECT_THAT(
      CityscapesDataset::Create(root_, "train", Options(kInstance, kIds, true)),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("none of the 4 pictures has a thing")));
}

TEST_F(CityscapesDatasetTest, SizesThatDiffer) {
  ASSERT_THAT(WritePngAtomically(InstanceIds(0),
                                 cv::Mat(64, 126, CV_16UC1, cv::Scalar(7))),
              IsOk());
  ASSERT_THAT(
      WriteFileAtomically(
          Polygons(0), R"({"imgHeight": 60, "imgWidth": 128, "objects": []})"),
      IsOk());
  EXPECT_THAT(Load(0, Options(kPanoptic)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(InstanceIds(0) + " is 64 x 126"),
                             HasSubstr("is 64 x 128"))));
  EXPECT_THAT(Load(0, Options(kInstance)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(Polygons(0) + " is 60 x 128")));
}

TEST_F(CityscapesDatasetTest, BadContentsNameTheFile) {
  ASSERT_THAT(WritePngAtomically(InstanceIds(0),
                                 cv::Mat(64, 128, CV_16UC1, cv::Scalar(99))),
              IsOk());
  ASSERT_THAT(WriteFileAtomically(Polygons(0), "{"), IsOk());
  for (const auto& options : {Options(kPanoptic), Options(kInstance, kIds)}) {
    EXPECT_THAT(Load(0, options),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr(InstanceIds(0) + " holds instance ids")));
  }
  EXPECT_THAT(Load(0, Options(kInstance)),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr(Polygons(0) + " (1 bytes) is no JSON")));
}

}  // namespace
}  // namespace mask2former
