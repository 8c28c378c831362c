#include "mask2former/data/picture_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/testing/tiny_cityscapes.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PictureReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string root = FreshTestFolder();
    TinyCityscapesOptions options;
    options.train_ids = true;
    ASSERT_THAT(WriteTinyCityscapes(root, options), IsOk());
    const auto frames = ListCityscapes(root, "val");
    ASSERT_THAT(frames, IsOk());
    frame_ = frames->front();
  }

  CityscapesFrame frame_;
  DataConfig config_;
};

TEST_F(PictureReportTest, CountsRawValues) {
  const PictureReport report = LookAtPicture(frame_, config_);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.label_path, frame_.label_ids_path);
  EXPECT_EQ(report.values[3], 2 * 128);  // "out of roi", the lower border.
  EXPECT_EQ(report.values[24], 9 * 32);  // Person.
  EXPECT_EQ(std::accumulate(report.values.begin(), report.values.end(), 0),
            64 * 128);
  EXPECT_EQ(report.class_pixels[11], 9 * 32);
  EXPECT_EQ(report.instances[11], 1);
  EXPECT_EQ(report.ignored_pixels, 2 * 128);
}

TEST_F(PictureReportTest, TrainIdsAreValuesToo) {
  config_.set_label_source(DataConfig::LABEL_TRAIN_IDS);
  const PictureReport report = LookAtPicture(frame_, config_);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.values[255], 2 * 128);
  EXPECT_EQ(report.values[11], 9 * 32);
  EXPECT_EQ(report.class_pixels[11], 9 * 32);
}

TEST_F(PictureReportTest, ValuesOutsideAreAProblemAndCounted) {
  cv::Mat label(64, 128, CV_8UC1, cv::Scalar(7));  // Road.
  label.row(0).setTo(77);
  ASSERT_THAT(WritePngAtomically(frame_.label_ids_path, label), IsOk());
  const PictureReport report = LookAtPicture(frame_, config_);
  EXPECT_THAT(report.problems,
              ElementsAre(AllOf(HasSubstr(frame_.label_ids_path),
                                HasSubstr("outside the table: 77"))));
  EXPECT_EQ(report.values[77], 128);
  EXPECT_EQ(report.class_pixels[0], 63 * 128);
  EXPECT_EQ(report.pixels, 64 * 128);
  EXPECT_EQ(report.ignored_pixels, 0);
  EXPECT_EQ(report.label_kind, "64 x 128 8-bit gray");
}

}  // namespace
}  // namespace mask2former
