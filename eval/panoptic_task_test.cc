#include "mask2former/eval/panoptic_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/cityscapes_panoptic.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/panoptic_json.h"
#include "mask2former/eval/testing/task_fixture.h"

namespace mask2former {
namespace {

using ::testing::SizeIs;

class PanopticTaskTest : public TaskTest {
 protected:
  PanopticTaskTest()
      : TaskTest([](const std::string& folder) {
          return MakePanopticTask(CityscapesNetworkClasses(19).value(), folder);
        }) {}
};

TEST_F(PanopticTaskTest, ScoresLikeTheOfficialProgram) {
  for (const EvaluatedPicture& picture : pictures_) {
    const auto score = task_->Score(picture);
    ASSERT_THAT(score, IsOk());
    EXPECT_GT(*score, 0.3);
    EXPECT_LT(*score, 0.9);
  }
  Evaluation evaluation;
  task_->Report(evaluation);
  EXPECT_NEAR(evaluation.panoptic->all.mean.pq, 0.5763102441575941, 1e-12);
  EXPECT_EQ(evaluation.panoptic->things.categories, 5);
  EXPECT_FALSE(evaluation.semantic.has_value());
}

TEST_F(PanopticTaskTest, WritesTheFormatOfTheOfficialWrapper) {
  WriteAll();
  const auto file = ReadPanopticJson(folder_ + "/panoptic.json",
                                     PanopticFileKind::kPrediction);
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT(file->annotations, SizeIs(2));
  EXPECT_EQ(file->annotations[0].image_id, "aaa_000000_000019");
  EXPECT_EQ(file->annotations[0].file_name,
            "aaa_000000_000019_leftImg8bit.png");
  ASSERT_THAT(file->annotations[0].segments, SizeIs(7));
  EXPECT_EQ(file->annotations[0].segments[1].category_id, 23);
  const nlohmann::json json =
      nlohmann::json::parse(*ReadFile(folder_ + "/panoptic.json"));
  EXPECT_EQ(json.at("categories"), CityscapesPanopticJsonCategories());
  EXPECT_EQ(json.at("images").dump(),
            R"([{"file_name":"aaa_000000_000019_gtFine_leftImg8bit.png",)"
            R"("height":64,"id":"aaa_000000_000019","width":128},)"
            R"({"file_name":"aaa_000001_000019_gtFine_leftImg8bit.png",)"
            R"("height":64,"id":"aaa_000001_000019","width":128}])");
  EXPECT_EQ(json.size(), 3u);
  const auto ids =
      ReadPng(folder_ + "/panoptic/aaa_000000_000019_leftImg8bit.png",
              PngFormat::kRgb8);
  ASSERT_THAT(ids, IsOk());
  EXPECT_EQ(ids->at<cv::Vec3b>(0, 0), cv::Vec3b(2, 0, 0));
}

TEST_F(PanopticTaskTest, DrawsPanelsOfTheWidthAskedFor) {
  ExpectPanelsOfTheWidthAskedFor();
}

TEST_F(PanopticTaskTest, NamesThePictureThatCannotBeScored) {
  pictures_[1].prediction.panoptic.segments.pop_back();
  ExpectItNamesTheSecondPicture();
}

}  // namespace
}  // namespace mask2former
