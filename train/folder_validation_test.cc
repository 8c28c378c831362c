#include "mask2former/train/folder_validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/build_data_loader.h"
#include "mask2former/data/image_io.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/testing/tiny_model_config.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

class FolderValidationTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(CreateDirectories(root_ + "/images"), IsOk());
    ASSERT_THAT(CreateDirectories(root_ + "/masks"), IsOk());
    for (const char* name : {"a.png", "b.png"}) {
      ASSERT_THAT(WritePngAtomically(root_ + "/images/" + name,
                                     cv::Mat(48, 64, CV_8UC3, cv::Scalar(90))),
                  IsOk());
      cv::Mat mask = cv::Mat::zeros(48, 64, CV_8UC1);
      mask.colRange(0, 16).setTo(255);
      ASSERT_THAT(WritePngAtomically(root_ + "/masks/" + name, mask), IsOk());
    }
    model_ = TinyModelConfig();
    model_.set_num_classes(3);
    data_ = ParseTextProtoOrDie<DataConfig>(R"pb(
      folder {
        train_images: "images/*.png"
        train_labels: "masks/*.png"
        val_images: "images/*.png"
        val_labels: "masks/*.png"
        classes { name: "sound" values: 0 }
        classes { name: "crack" values: 255 }
        classes { name: "hole" values: 7 }
      }
      input { min_size_test: 64 max_size_test: 128 }
    )pb");
    data_.set_root(root_);
    pictures_ = BuildFolderValDataset(data_).value();
    segmentor_ = BuildSegmentor(model_).value();
  }

  std::string root_;
  ModelConfig model_;
  DataConfig data_;
  std::unique_ptr<FolderDataset> pictures_;
  std::shared_ptr<Segmentor> segmentor_;
};

TEST_F(FolderValidationTest, ScoresTheClassesOfTheConfig) {
  const InterruptGuard interrupt;
  FolderValidation validation(data_.input(), model_.inference(), root_ + "/out",
                              *pictures_, interrupt, *segmentor_);
  EXPECT_FALSE(validation.IsDone(5));
  const auto record = validation.Run(5);
  ASSERT_THAT(record, IsOk());
  EXPECT_THAT(record->table, HasSubstr("crack"));
  EXPECT_GT(record->seconds_per_image, 0);
  ASSERT_THAT(validation.MarkDone(5), IsOk());
  EXPECT_TRUE(validation.IsDone(5));
  EXPECT_TRUE(segmentor_->is_training());  // As it was.
  const auto json = nlohmann::json::parse(
      ReadFile(root_ + "/out/eval/step_5/metrics.json").value(), nullptr,
      /*allow_exceptions=*/false);
  ASSERT_FALSE(json.is_discarded());
  // An untrained model is right somewhere, and not everywhere: accuracy of two
  // classes, weighted by their pixels, is that of the pixels.
  const double sound = json["classes"]["sound"]["accuracy"];
  const double crack = json["classes"]["crack"]["accuracy"];
  EXPECT_NEAR(json["pACC"], 0.75 * sound + 0.25 * crack, 1e-9);
  EXPECT_NEAR(json["mACC"], (sound + crack) / 2, 1e-9);
  EXPECT_TRUE(json["classes"]["hole"]["IoU"].is_null());
}

TEST_F(FolderValidationTest, ASignalEndsIt) {
  const InterruptGuard interrupt;
  FolderValidation validation(data_.input(), model_.inference(), root_ + "/out",
                              *pictures_, interrupt, *segmentor_);
  std::raise(SIGTERM);
  EXPECT_THAT(validation.Run(5),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("interrupted")));
}

}  // namespace
}  // namespace mask2former
