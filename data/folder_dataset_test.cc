#include "mask2former/data/folder_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/core.hpp>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/testing/zip_folder.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Split = FolderDataset::Split;

class FolderDatasetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    for (const char* folder : {"/data/images", "/data/masks"}) {
      ASSERT_THAT(CreateDirectories(root_ + folder), IsOk());
    }
    for (int i = 0; i < 3; ++i) {
      ASSERT_THAT(
          WritePngAtomically(Path("images", i),
                             cv::Mat(8, 10, CV_8UC3, cv::Scalar(i, 20, 30))),
          IsOk());
      cv::Mat mask = cv::Mat::zeros(8, 10, CV_8UC1);
      mask.rowRange(0, i + 1).setTo(255);
      ASSERT_THAT(WritePngAtomically(Path("masks", i), mask), IsOk());
    }
  }

  std::string Path(const std::string& kind, int i) const {
    return root_ + "/data/" + kind + "/" + std::to_string(i) + ".png";
  }

  static FolderData Config(const std::string& classes) {
    return ParseTextProtoOrDie<FolderData>(
        "train_images: 'images/*.png' train_labels: 'masks/*.png' "
        "val_images: 'images/2*.png' val_labels: 'masks/2*.png' " +
        classes);
  }
  static FolderData Masks() {
    return Config(
        "classes { name: 'background' values: 0 } "
        "classes { name: 'foreground' values: 255 }");
  }

  std::string root_;
};

TEST_F(FolderDatasetTest, ReadsPicturesAndMasks) {
  const auto dataset =
      FolderDataset::Create(root_ + "/data", Masks(), Split::kTrain);
  ASSERT_THAT(dataset, IsOk());
  EXPECT_EQ((*dataset)->size(), 3);
  EXPECT_EQ((*dataset)->num_classes(), 2);
  const auto sample = (*dataset)->Load(1);
  ASSERT_THAT(sample, IsOk());
  EXPECT_EQ(sample->name, "1");
  EXPECT_EQ(sample->image.at<cv::Vec3b>(0, 0), cv::Vec3b(1, 20, 30));
  EXPECT_EQ(cv::countNonZero(sample->label), 20);
  EXPECT_EQ(sample->label.at<uint8_t>(0, 0), 1);
  EXPECT_EQ(FolderDataset::Create(root_ + "/data", Masks(), Split::kVal)
                .value()
                ->size(),
            1);
}

TEST_F(FolderDatasetTest, ReadsAZipArchiveTheSameWay) {
  ASSERT_THAT(ZipFolder(root_, "data", root_ + "/all.zip"), IsOk());
  const auto dataset =
      FolderDataset::Create(root_ + "/all.zip/data", Masks(), Split::kTrain);
  ASSERT_THAT(dataset, IsOk());
  ASSERT_EQ((*dataset)->size(), 3);
  const Sample zipped = (*dataset)->Load(2).value();
  const Sample plain =
      FolderDataset::Create(root_ + "/data", Masks(), Split::kTrain)
          .value()
          ->Load(2)
          .value();
  EXPECT_EQ(cv::norm(zipped.image, plain.image, cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(zipped.label, plain.label, cv::NORM_INF), 0);
}

TEST_F(FolderDatasetTest, MasksOf255GetTheirAnswerBeforeTraining) {
  EXPECT_THAT(
      FolderDataset::Create(
          root_ + "/data",
          Config("classes { name: 'background' } classes { name: 'crack' }"),
          Split::kTrain),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr(root_ + "/data/images/*.png: the labels hold"),
                     HasSubstr("values: 255"))));
}

TEST_F(FolderDatasetTest, SizesThatDiffer) {
  ASSERT_THAT(
      WritePngAtomically(Path("masks", 1), cv::Mat::zeros(8, 9, CV_8UC1)),
      IsOk());
  EXPECT_THAT(FolderDataset::Create(root_ + "/data", Masks(), Split::kTrain)
                  .value()
                  ->Load(1),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(Path("masks", 1) + " is 8 x 9"),
                             HasSubstr("is 8 x 10"))));
}

TEST_F(FolderDatasetTest, NamesWhatIsMissing) {
  std::filesystem::remove(Path("masks", 1));
  EXPECT_THAT(FolderDataset::Create(root_ + "/data", Masks(), Split::kTrain),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(Path("masks", 1) + " is missing")));
}

}  // namespace
}  // namespace mask2former
