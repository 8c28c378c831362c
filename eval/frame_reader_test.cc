#include "mask2former/eval/frame_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

class FrameReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    for (int i = 0; i < 4; ++i) AddFrame(i);
  }

  // Everything in frame i has the value i, but train ids 2 i.
  void AddFrame(int i) {
    CityscapesFrame frame;
    frame.name = absl::StrCat("ulm_00000", i, "_000019");
    frame.image_path = absl::StrCat(root_, "/", i, "_image.png");
    frame.label_ids_path = absl::StrCat(root_, "/", i, "_ids.png");
    frame.label_train_ids_path = absl::StrCat(root_, "/", i, "_train_ids.png");
    frame.instance_ids_path = absl::StrCat(root_, "/", i, "_instances.png");
    const auto write = [](const std::string& path, int type, double value) {
      return WritePngAtomically(
          path, cv::Mat(4, 8, type, cv::Scalar(value, value, value)));
    };
    ASSERT_THAT(write(frame.image_path, CV_8UC3, i), IsOk());
    ASSERT_THAT(write(frame.label_ids_path, CV_8UC1, i), IsOk());
    ASSERT_THAT(write(frame.label_train_ids_path, CV_8UC1, 2 * i), IsOk());
    ASSERT_THAT(write(frame.instance_ids_path, CV_16UC1, i), IsOk());
    frames_.push_back(frame);
  }

  std::string root_;
  std::vector<CityscapesFrame> frames_;
  FrameReaderOptions options_;
};

TEST_F(FrameReaderTest, ReadsInOrderHoweverManyAhead) {
  for (const int prefetch : {1, 3, 9}) {
    options_.prefetch = prefetch;
    FrameReader reader(frames_, options_);
    for (int i = 0; i < 4; ++i) {
      const auto frame = reader.Next();
      ASSERT_THAT(frame, IsOk());
      EXPECT_EQ(frame->image.at<cv::Vec3b>(1, 1), cv::Vec3b(i, i, i));
      EXPECT_EQ(frame->label_ids.at<uint8_t>(3, 7), i);
      EXPECT_EQ(frame->instance_ids.at<uint16_t>(0, 0), i);
    }
  }
}

TEST_F(FrameReaderTest, TrainIdsBecomeLabelIds) {
  options_.label_source = DataConfig::LABEL_TRAIN_IDS;
  FrameReader reader(frames_, options_);
  ASSERT_THAT(reader.Next(), IsOk());
  const auto frame = reader.Next();
  ASSERT_THAT(frame, IsOk());
  EXPECT_EQ(frame->label_ids.at<uint8_t>(0, 0), 11) << "train id 2, building";
}

TEST_F(FrameReaderTest, ReadsOnlyWhatIsWanted) {
  for (const CityscapesFrame& frame : frames_) {
    std::filesystem::remove(frame.label_ids_path);
    std::filesystem::remove(frame.instance_ids_path);
  }
  options_.needs_labels = false;
  const auto frame = FrameReader(frames_, options_).Next();
  ASSERT_THAT(frame, IsOk());
  EXPECT_TRUE(frame->label_ids.empty());
  EXPECT_TRUE(frame->instance_ids.empty());

  options_.instances = FrameReaderOptions::Instances::kNeeded;
  EXPECT_THAT(
      FrameReader(frames_, options_).Next(),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("0_instances.png")));
  options_.needs_labels = true;
  EXPECT_THAT(FrameReader(frames_, options_).Next(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("0_ids.png")));
}

}  // namespace
}  // namespace mask2former
