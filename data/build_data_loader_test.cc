#include "mask2former/data/build_data_loader.h"

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/testing/tiny_cityscapes.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

DataConfig Config(const std::string& text) {
  return ParseTextProtoOrDie<DataConfig>(text);
}

// Whether a tensor of labels holds these.
MATCHER_P(LabelsAre, classes, "") {
  const std::vector<int64_t> labels(
      arg.template const_data_ptr<int64_t>(),
      arg.template const_data_ptr<int64_t>() + arg.numel());
  std::vector<int64_t> sorted = labels;
  std::sort(sorted.begin(), sorted.end());
  return sorted == classes;
}

class BuildDataLoaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(WriteTinyCityscapes(root_), IsOk());
  }

  DataConfig Tiny(const std::string& more = "") const {
    return Config("root: \"" + root_ +
                  "\" input { min_size_train: [64, 96] crop_height: 32 "
                  "crop_width: 64 } " +
                  more);
  }

  std::string root_;
};

TEST_F(BuildDataLoaderTest, ReadsCityscapesFromDisk) {
  const auto loader = BuildTrainLoader(Tiny(), 2);
  ASSERT_THAT(loader, IsOk());
  for (int i = 0; i < 4; ++i) {
    const auto batch = (*loader)->Next();
    ASSERT_THAT(batch, IsOk());
    ASSERT_EQ(batch->images.size(), 2u);
    EXPECT_THAT(batch->images[1].sizes(), ElementsAre(3, 32, 64));
    EXPECT_GE(batch->targets[1].labels.numel(), 1);
  }
}

TEST_F(BuildDataLoaderTest, OneAndFourWorkersGiveTheSameBatches) {
  const auto one =
      BuildTrainLoader(Tiny("loader { num_workers: 1 seed: 4 }"), 3).value();
  const auto four =
      BuildTrainLoader(Tiny("loader { num_workers: 4 seed: 4 }"), 3).value();
  for (int i = 0; i < 6; ++i) {
    const ImageBatch a = one->Next().value();
    const ImageBatch b = four->Next().value();
    ASSERT_EQ(a.names, b.names);
    for (size_t j = 0; j < a.images.size(); ++j) {
      EXPECT_TRUE(at::equal(a.images[j], b.images[j]));
      EXPECT_TRUE(at::equal(a.targets[j].labels, b.targets[j].labels));
      EXPECT_TRUE(at::equal(a.targets[j].masks, b.targets[j].masks));
    }
  }
}

TEST_F(BuildDataLoaderTest, SeedAndRankReachTheLoader) {
  EXPECT_EQ(
      BuildTrainLoader(Tiny("loader { seed: 77 }"), 4).value()->state().seed,
      77);
  EXPECT_EQ(BuildTrainLoader(Tiny(), 4, 1, 2).value()->batch_size_per_rank(),
            2);
  EXPECT_THAT(BuildTrainLoader(Tiny(), 3, 0, 2),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("cannot be split over 2")));
}

TEST_F(BuildDataLoaderTest, SplitsAndLabelSourceReachTheDataSet) {
  EXPECT_EQ(BuildTrainDataset(Tiny()).value()->size(), 4);
  EXPECT_EQ(BuildValDataset(Tiny()).value()->size(), 2);
  EXPECT_EQ(BuildValDataset(Tiny("val_split: \"train\"")).value()->size(), 4);
  EXPECT_EQ(BuildTrainDataset(Tiny("train_split: \"val\"")).value()->size(), 2);
  EXPECT_THAT(BuildTrainDataset(Tiny("label_source: LABEL_TRAIN_IDS")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("gtFine_labelTrainIds.png is missing")));
}

TEST_F(BuildDataLoaderTest, EveryTaskHasItsTargets) {
  const struct {
    const char* settings;
    std::vector<int64_t> classes;  // Of every picture, whatever its crop.
  } cases[] = {
      {"task: INSTANCE class_set: CITYSCAPES_THINGS_8", {0, 2}},
      {"task: INSTANCE class_set: CITYSCAPES_THINGS_8 "
       "instance_source: INSTANCE_IDS",
       {0, 2}},
      {"task: PANOPTIC", {0, 10, 11, 13}},
  };
  for (const auto& c : cases) {
    const DataConfig config = Tiny(c.settings);
    const auto loader = BuildTrainLoader(config, 2);
    ASSERT_THAT(loader, IsOk()) << c.settings;
    for (int i = 0; i < 3; ++i) {
      const auto batch = (*loader)->Next();
      ASSERT_THAT(batch, IsOk()) << c.settings;
      for (const MaskTarget& target : batch->targets) {
        EXPECT_THAT(target.labels, LabelsAre(c.classes)) << c.settings;
        EXPECT_THAT(target.masks.sizes(),
                    ElementsAre(c.classes.size(), 32, 64));
      }
    }
    EXPECT_EQ(BuildTrainDataset(config).value()->num_classes(),
              NumClasses(config));
  }
  EXPECT_EQ(NumClasses(Tiny()), 19);
}

TEST_F(BuildDataLoaderTest, InstanceTrainingLeavesPicturesWithoutThingsOut) {
  const std::string path =
      TinyCityscapesPath(root_, "gtFine", "train", 0, "gtFine_instanceIds");
  ASSERT_THAT(
      WritePngAtomically(path, cv::Mat(64, 128, CV_16UC1, cv::Scalar(7))),
      IsOk());
  const std::string ids =
      "task: INSTANCE class_set: CITYSCAPES_THINGS_8 "
      "instance_source: INSTANCE_IDS ";
  EXPECT_EQ(BuildTrainDataset(Tiny(ids)).value()->size(), 3);
  EXPECT_EQ(BuildValDataset(Tiny(ids + "val_split: \"train\"")).value()->size(),
            4);
  EXPECT_EQ(BuildTrainDataset(Tiny("task: PANOPTIC")).value()->size(), 4);
}

TEST_F(BuildDataLoaderTest, OwnPicturesInFolders) {
  for (const char* folder : {"/own/images", "/own/masks"}) {
    std::filesystem::create_directories(root_ + folder);
  }
  cv::Mat mask = cv::Mat::zeros(64, 128, CV_8UC1);
  mask.colRange(0, 64).setTo(255);
  ASSERT_THAT(WritePngAtomically(root_ + "/own/images/a.png",
                                 cv::Mat(64, 128, CV_8UC3, cv::Scalar(9))),
              IsOk());
  ASSERT_THAT(WritePngAtomically(root_ + "/own/masks/a.png", mask), IsOk());
  DataConfig config = Tiny(
      "folder { train_images: 'images/*.png' train_labels: 'masks/*.png' "
      "val_images: 'images/*.png' val_labels: 'masks/*.png' "
      "classes { name: 'sound' values: 0 } "
      "classes { name: 'crack' values: 255 } }");
  config.set_root(root_ + "/own");
  EXPECT_THAT(ValidateDataConfig(config), IsOk());
  EXPECT_EQ(NumClasses(config), 2);
  EXPECT_EQ(BuildFolderValDataset(config).value()->size(), 1);
  EXPECT_FALSE(BuildValDataset(config).ok());
  const auto loader = BuildTrainLoader(config, 1);
  ASSERT_THAT(loader, IsOk());
  const auto batch = (*loader)->Next();
  ASSERT_THAT(batch, IsOk());
  EXPECT_GE(batch->targets[0].labels.numel(), 1);
  EXPECT_EQ(batch->targets[0].masks.sum().item<int>(), 32 * 64);
}

TEST_F(BuildDataLoaderTest, AMissingArchiveIsNamed) {
  std::filesystem::remove_all(root_ + "/gtFine");
  EXPECT_THAT(BuildTrainLoader(Tiny(), 1),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("gtFine_trainvaltest.zip")));
}

TEST(ValidateDataConfigTest, DefaultsAreValid) {
  EXPECT_THAT(ValidateDataConfig(Config("root: 'x' generated {}")), IsOk());
}

TEST(ValidateDataConfigTest, DefaultsAreTheOfficialOnes) {
  const DataConfig config;
  EXPECT_EQ(config.train_split(), "train");
  EXPECT_EQ(config.val_split(), "val");
  EXPECT_EQ(config.label_source(), DataConfig::LABEL_IDS);
  EXPECT_EQ(config.task(), DataConfig::SEMANTIC);
  EXPECT_EQ(config.instance_source(), DataConfig::POLYGONS);
  EXPECT_EQ(config.input().max_size_train(), 4096);
  EXPECT_EQ(config.input().crop_height(), 512);
  EXPECT_EQ(config.input().crop_width(), 1024);
  EXPECT_EQ(config.input().single_category_max_area(), 1.0f);
  EXPECT_EQ(config.input().color_augmentation(), InputConfig::SSD);
  EXPECT_EQ(config.input().flip_probability(), 0.5f);
  EXPECT_EQ(config.input().size_divisibility(), -1);
  EXPECT_EQ(config.input().min_size_test(), 1024);
  EXPECT_EQ(config.input().max_size_test(), 2048);
  EXPECT_EQ(config.loader().num_workers(), 4);
}

TEST(ValidateDataConfigTest, NamesTheFieldThatIsOutOfRange) {
  for (const auto& [text, message] :
       {std::pair{"", "data.root is not set"},
        std::pair{"root: 'x' train_split: ''", "data.train_split"},
        std::pair{"root: 'x' val_split: ''", "data.val_split"},
        std::pair{"root: 'x' input { crop_height: 0 }", "crop_height"},
        std::pair{"root: 'x' input { min_size_test: 0 }", "min_size_test"},
        std::pair{"root: 'x' input { max_size_test: 0 }", "max_size_test"},
        std::pair{"root: 'x' loader { num_workers: 0 }",
                  "data.loader.num_workers must be >= 1, got 0"},
        std::pair{"root: 'x' loader { prefetch: 0 }", "data.loader.prefetch"},
        std::pair{"root: 'x' task: INSTANCE",
                  "data.class_set must be CITYSCAPES_THINGS_8 with data.task "
                  "INSTANCE, is CITYSCAPES_19"},
        std::pair{"root: 'x' class_set: CITYSCAPES_THINGS_8 task: PANOPTIC",
                  "data.class_set must be CITYSCAPES_19 with data.task "
                  "PANOPTIC"},
        std::pair{"root: 'x' folder {}", "data.folder.train_images is not set"},
        std::pair{"root: 'x' task: PANOPTIC folder { train_images: 'a' "
                  "train_labels: 'a' val_images: 'a' val_labels: 'a' }",
                  "data.task must be SEMANTIC with data.folder"},
        std::pair{"root: 'x' folder { train_images: 'a' train_labels: 'a' "
                  "val_images: 'a' val_labels: 'a' }",
                  "data.folder.classes must be 1 .. 255"},
        std::pair{"root: 'x' generated { train_images: 0 }",
                  "data.generated.train_images"},
        std::pair{"root: 'x' generated { val_images: 0 }",
                  "data.generated.val_images"},
        std::pair{"root: 'x' generated { height: 100 }",
                  "data.generated.height must be a multiple of 32, got 100"},
        std::pair{"root: 'x' generated { width: 0 }",
                  "data.generated.width"}}) {
    EXPECT_THAT(
        ValidateDataConfig(Config(text)),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)));
  }
}

}  // namespace
}  // namespace mask2former
