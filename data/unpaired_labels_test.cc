#include "mask2former/data/unpaired_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/testing/tiny_cityscapes.h"
#include "mask2former/data/testing/zip_folder.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kIds = DataConfig::LABEL_IDS;
constexpr auto kTrainIds = DataConfig::LABEL_TRAIN_IDS;

class UnpairedLabelsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    TinyCityscapesOptions options;
    options.train_ids = true;
    ASSERT_THAT(WriteTinyCityscapes(root_, options), IsOk());
  }

  // Of the split train.
  std::vector<std::string> LabelsAlone(DataConfig::LabelSource source) const {
    const auto frames = ListCityscapes(root_, "train");
    EXPECT_THAT(frames, IsOk());
    if (!frames.ok()) return {};
    const auto alone =
        FindLabelsWithoutPicture(root_ + "/", "train", *frames, source);
    EXPECT_THAT(alone, IsOk());
    return alone.value_or(std::vector<std::string>());
  }

  std::string root_;
};

TEST_F(UnpairedLabelsTest, LabelsWithoutPicture) {
  EXPECT_THAT(LabelsAlone(kIds), IsEmpty());
  std::filesystem::remove(
      TinyCityscapesPath(root_, "leftImg8bit", "train", 2, "leftImg8bit"));
  std::filesystem::remove_all(root_ + "/leftImg8bit/train/ulm");
  const auto are_three = ElementsAre(
      AllOf(HasSubstr("gtFine/train/aachen/aachen_000002_000019_gtFine_label"),
            HasSubstr("has no picture, "
                      "aachen/aachen_000002_000019_leftImg8bit.png")),
      HasSubstr("ulm_000001_000019"), HasSubstr("ulm_000003_000019"));
  EXPECT_THAT(LabelsAlone(kIds), are_three);
  EXPECT_THAT(LabelsAlone(kTrainIds), are_three);
}

TEST_F(UnpairedLabelsTest, LabelsWithoutPictureInArchives) {
  std::filesystem::remove(
      TinyCityscapesPath(root_, "leftImg8bit", "train", 3, "leftImg8bit"));
  for (const std::string kind : {"leftImg8bit", "gtFine"}) {
    const std::string archive = root_ + "/" + kind + "_trainvaltest.zip";
    ASSERT_THAT(ZipFolder(root_, kind, archive), IsOk());
    std::filesystem::remove_all(root_ + "/" + kind);
  }
  EXPECT_THAT(
      LabelsAlone(kIds),
      ElementsAre(HasSubstr("gtFine_trainvaltest.zip/gtFine/train/ulm/"
                            "ulm_000003_000019_gtFine_labelIds.png has no")));
}

}  // namespace
}  // namespace mask2former
