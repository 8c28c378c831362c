#include "mask2former/eval/instance_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/score_instance.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

class InstanceFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(CreateDirectories(root_ + "/results"), IsOk());
    ASSERT_THAT(CreateDirectories(root_ + "/val/aaa"), IsOk());
  }

  std::string root_;
};

TEST_F(InstanceFilesTest, WritesTheOfficialFormat) {
  cv::Mat mask = cv::Mat::zeros(3, 4, CV_8UC1);
  mask.at<uint8_t>(1, 2) = 1;
  InstanceFileWriter writer(root_ + "/results", "a_1_2_leftImg8bit");
  EXPECT_THAT(writer.Add(26, 0.9f, mask), IsOk());
  EXPECT_THAT(writer.Add(33, 1, mask), IsOk());
  EXPECT_THAT(writer.Finish(), IsOk());
  EXPECT_EQ(*ReadFile(root_ + "/results/a_1_2_leftImg8bit_pred.txt"),
            "a_1_2_leftImg8bit_0_car.png 26 0.8999999761581421\n"
            "a_1_2_leftImg8bit_1_bicycle.png 33 1.0\n");
  const auto written = ReadPng(root_ + "/results/a_1_2_leftImg8bit_0_car.png",
                               PngFormat::kGray8);
  ASSERT_THAT(written, IsOk());
  EXPECT_EQ(written->at<uint8_t>(1, 2), 255);
  EXPECT_EQ(cv::countNonZero(*written), 1);
}

TEST_F(InstanceFilesTest, WhatItWritesScoresLikeTheOriginal) {
  const std::vector<ExampleImage> images = WorkedExample();
  for (size_t i = 0; i < images.size(); ++i) {
    ASSERT_THAT(
        WritePngAtomically(absl::StrCat(root_, "/val/aaa/", images[i].name,
                                        "_gtFine_instanceIds.png"),
                           images[i].instances),
        IsOk());
    InstanceFileWriter writer(root_ + "/results",
                              images[i].name + "_leftImg8bit");
    const std::vector<ExampleInstance> instances = WorkedPredictions()[i];
    for (const ExampleInstance& instance : instances) {
      ASSERT_THAT(writer.Add(instance.label_id,
                             static_cast<float>(instance.score), instance.mask),
                  IsOk());
    }
    ASSERT_THAT(writer.Finish(), IsOk());
  }
  ScoreInstanceOptions options;
  options.ground_truth = root_ + "/val";
  options.predictions = root_ + "/results";
  std::ostringstream console;
  const auto metrics = ScoreInstance(options, console);
  ASSERT_THAT(metrics, IsOk());
  EXPECT_NEAR(metrics->Compute().mean_ap, 0.6302083333, 1e-10);
}

TEST_F(InstanceFilesTest, WithoutInstancesTheTextIsEmpty) {
  InstanceFileWriter writer(root_ + "/results", "a_1_2");
  EXPECT_THAT(writer.Finish(), IsOk());
  EXPECT_EQ(*ReadFile(root_ + "/results/a_1_2_pred.txt"), "");
}

TEST_F(InstanceFilesTest, RejectsWhatTheFormatCannotHold) {
  const cv::Mat mask = cv::Mat::zeros(3, 4, CV_8UC1);
  const auto expect = [](const absl::Status& status, const std::string& what) {
    EXPECT_THAT(status,
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  };
  InstanceFileWriter writer(root_ + "/results", "a");
  expect(writer.Add(7, 1, mask), "label id 7 is no class with instances");
  expect(writer.Add(29, 1, mask), "label id 29");
  expect(writer.Add(26, NAN, mask), "not a finite number");
  expect(writer.Add(26, 1, cv::Mat()), "not empty");
  expect(writer.Add(26, 1, cv::Mat::zeros(3, 4, CV_32FC1)), "CV_32FC1");
  InstanceFileWriter blank(root_ + "/results", "a b");
  expect(blank.Add(26, 1, mask), "has a blank");
}

}  // namespace
}  // namespace mask2former
