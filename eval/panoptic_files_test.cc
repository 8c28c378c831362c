#include "mask2former/eval/panoptic_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/cityscapes_panoptic.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/score_panoptic.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

class PanopticFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(CreateDirectories(root_ + "/val/aaa"), IsOk());
  }

  std::string root_;
};

TEST_F(PanopticFilesTest, WritesTheFormat) {
  PanopticFileWriter writer(root_ + "/out.json");
  const cv::Mat ids = (cv::Mat_<int32_t>(1, 3) << 66051, 0, 1);
  ASSERT_THAT(writer.Add("b", "b.png", {ids, {{1, 7}, {66051, 26}}}, "b.jpg"),
              IsOk());
  ASSERT_THAT(writer.Add("a", "a.png", {cv::Mat::zeros(1, 3, CV_32SC1), {}}),
              IsOk());
  ASSERT_THAT(writer.Finish(), IsOk());
  const std::string text = *ReadFile(root_ + "/out.json");
  EXPECT_EQ(text.substr(0, text.find("    \"categories\"")), R"({
    "annotations": [
        {
            "file_name": "a.png",
            "image_id": "a",
            "segments_info": []
        },
        {
            "file_name": "b.png",
            "image_id": "b",
            "segments_info": [
                {
                    "category_id": 7,
                    "id": 1
                },
                {
                    "category_id": 26,
                    "id": 66051
                }
            ]
        }
    ],
)");
  EXPECT_EQ(text.substr(text.find("    \"images\"")), R"(    "images": [
        {
            "file_name": "a.png",
            "height": 1,
            "id": "a",
            "width": 3
        },
        {
            "file_name": "b.jpg",
            "height": 1,
            "id": "b",
            "width": 3
        }
    ]
})");
  EXPECT_EQ(nlohmann::json::parse(text).at("categories"),
            CityscapesPanopticJsonCategories());
  const auto png = ReadPng(root_ + "/out/b.png", PngFormat::kRgb8);
  ASSERT_THAT(png, IsOk());
  EXPECT_EQ(png->at<cv::Vec3b>(0, 0), cv::Vec3b(3, 2, 1));
  EXPECT_EQ(png->at<cv::Vec3b>(0, 1), cv::Vec3b(0, 0, 0));
  EXPECT_EQ(png->at<cv::Vec3b>(0, 2), cv::Vec3b(1, 0, 0));
}

TEST_F(PanopticFilesTest, WhatItWritesScoresLikeTheOriginal) {
  PanopticFileWriter writer(root_ + "/out.json");
  const std::vector<ExampleImage> images = WorkedExample();
  const std::vector<ExampleSegments> predictions = WorkedSegments();
  for (size_t i = 0; i < images.size(); ++i) {
    ASSERT_THAT(
        WritePngAtomically(absl::StrCat(root_, "/val/aaa/", images[i].name,
                                        "_gtFine_instanceIds.png"),
                           images[i].instances),
        IsOk());
    PanopticImage image = {predictions[i].ids, {}};
    for (size_t s = 0; s < predictions[i].categories.size(); ++s) {
      image.segments.push_back(
          {static_cast<int64_t>(s + 1), predictions[i].categories[s]});
    }
    ASSERT_THAT(writer.Add(images[i].name, images[i].name + ".png", image),
                IsOk());
  }
  ASSERT_THAT(writer.Finish(), IsOk());
  ScorePanopticOptions options;
  options.ground_truth = root_ + "/val";
  options.predictions = root_ + "/out.json";
  std::ostringstream console;
  const auto metrics = ScorePanoptic(options, console);
  ASSERT_THAT(metrics, IsOk());
  EXPECT_NEAR(metrics->Compute().all.mean.pq, 0.5763102441575941, 1e-15);
}

TEST_F(PanopticFilesTest, RejectsWhatTheFormatCannotHold) {
  PanopticFileWriter writer(root_ + "/out.json");
  const cv::Mat ones = cv::Mat::ones(2, 2, CV_32SC1);
  const auto expect = [&](const PanopticImage& image, const std::string& what) {
    EXPECT_THAT(writer.Add("a", "a.png", image),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  };
  expect({ones, {}}, "a: the map has the segment id 1, which is not in");
  expect({ones, {{1, 7}, {2, 7}}},
         "the segment id 2 is in the list and has no");
  expect({ones, {{1, 7}, {1, 8}}}, "the segment id 1 is twice in the list");
  expect({ones, {{1, 7}, {1 << 24, 8}}}, "16777216 is none of 1..16777215");
  expect({cv::Mat(2, 2, CV_8UC1), {}}, "want CV_32SC1");
  ASSERT_THAT(writer.Add("a", "a.png", {ones, {{1, 7}}}), IsOk());
  expect({ones, {{1, 7}}}, "a is predicted for the second time");
  EXPECT_THAT(PanopticFileWriter("out").Add("a", "a.png", {ones, {{1, 7}}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("must end in \".json\"")));
}

}  // namespace
}  // namespace mask2former
