#include "mask2former/data/prepare_cityscapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/testing/golden_checksums.h"
#include "mask2former/data/testing/zip_folder.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

constexpr const char* kCities[] = {"b", "b-a", "ulm"};

class PrepareCityscapesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    for (int i = 0; i < 3; ++i) {
      ASSERT_THAT(
          CreateDirectories(absl::StrCat(root_, "/gtFine/val/", kCities[i])),
          IsOk());
      for (const char* kind : {"labelIds.png", "instanceIds.png"}) {
        std::filesystem::copy_file(
            absl::StrCat("data/testdata/prepare_", i, "_", kind),
            Path(i, kind));
      }
    }
    options_.root = root_;
    options_.splits = {"val"};
  }

  static std::string Name(int i, const std::string& kind) {
    return absl::StrFormat("%s_%06d_000019_gtFine_%s", kCities[i], i, kind);
  }
  std::string Path(int i, const std::string& kind) const {
    return absl::StrCat(root_, "/gtFine/val/", kCities[i], "/", Name(i, kind));
  }

  void ExpectOfficial(const std::string& output) const {
    for (int i = 0; i < 3; ++i) {
      const auto train_ids =
          ReadPng(absl::StrCat(output, "/val/", kCities[i], "/",
                               Name(i, "labelTrainIds.png")),
                  PngFormat::kGray8);
      ASSERT_THAT(train_ids, IsOk());
      EXPECT_EQ(Checksum(*train_ids),
                GoldenChecksum(absl::StrCat("prepare train ids ", i)));
      const auto panoptic =
          ReadPng(absl::StrCat(output, "/cityscapes_panoptic_val/",
                               Name(i, "panoptic.png")),
                  PngFormat::kRgb8);
      ASSERT_THAT(panoptic, IsOk());
      EXPECT_EQ(Checksum(*panoptic),
                GoldenChecksum(absl::StrCat("prepare panoptic ", i)));
    }
    const auto json = ReadFile(output + "/cityscapes_panoptic_val.json");
    ASSERT_THAT(json, IsOk());
    EXPECT_EQ(ChecksumBytes(*json), GoldenChecksum("prepare json"));
  }

  std::string root_;
  PrepareOptions options_;
};

TEST_F(PrepareCityscapesTest, WritesWhatTheOfficialScriptsWrite) {
  int64_t last = 0;
  options_.progress = [&last](int64_t done, int64_t total) {
    EXPECT_EQ(done, last + 1);
    EXPECT_EQ(total, 6);
    last = done;
  };
  ASSERT_THAT(PrepareCityscapes(options_), IsOk());
  EXPECT_EQ(last, 6);
  ExpectOfficial(root_ + "/gtFine");
  // Again, over what is there.
  options_.progress = nullptr;
  options_.num_threads = 1;
  ASSERT_THAT(PrepareCityscapes(options_), IsOk());
  ExpectOfficial(root_ + "/gtFine");
}

TEST_F(PrepareCityscapesTest, ReadsAnArchiveAndWritesElsewhere) {
  ASSERT_THAT(ZipFolder(root_, "gtFine", root_ + "/gtFine_trainvaltest.zip"),
              IsOk());
  std::filesystem::remove_all(root_ + "/gtFine");
  EXPECT_THAT(PrepareCityscapes(options_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("is in an archive")));
  options_.output = root_ + "/prepared";
  ASSERT_THAT(PrepareCityscapes(options_), IsOk());
  ExpectOfficial(options_.output);
}

TEST_F(PrepareCityscapesTest, WritesOnlyWhatIsAskedFor) {
  options_.panoptic = false;
  ASSERT_THAT(PrepareCityscapes(options_), IsOk());
  EXPECT_TRUE(FileExists(Path(0, "labelTrainIds.png")));
  EXPECT_FALSE(DirectoryExists(root_ + "/gtFine/cityscapes_panoptic_val"));
}

TEST_F(PrepareCityscapesTest, NamesWhatIsWrong) {
  ASSERT_THAT(WritePngAtomically(Path(1, "instanceIds.png"),
                                 cv::Mat(4, 4, CV_16UC1, cv::Scalar(99))),
              IsOk());
  EXPECT_THAT(PrepareCityscapes(options_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(Path(1, "instanceIds.png"))));
  options_.splits = {"train"};
  EXPECT_THAT(PrepareCityscapes(options_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("train")));
}

TEST(MakePanopticRecordTest, MeasuresSegments) {
  cv::Mat ids(4, 6, CV_16UC1, cv::Scalar(3));
  ids(cv::Rect(1, 2, 3, 2)).setTo(26002);
  ids.at<uint16_t>(0, 5) = 26002;
  ids.at<uint16_t>(3, 3) = 24;
  const auto record = MakePanopticRecord(ids, "ids.png");
  ASSERT_THAT(record, IsOk());
  ASSERT_EQ(record->segments.size(), 2u);
  const PanopticRecord::Segment& car = record->segments[1];
  EXPECT_EQ(car.id, 26002);
  EXPECT_EQ(car.category_id, 26);
  EXPECT_EQ(car.area, 6);
  EXPECT_EQ(car.x, 1);
  EXPECT_EQ(car.y, 0);
  EXPECT_EQ(car.width, 5);
  EXPECT_EQ(car.height, 4);
  EXPECT_FALSE(car.is_crowd);
  EXPECT_TRUE(record->segments[0].is_crowd);
  EXPECT_EQ(record->colors.at<cv::Vec3b>(2, 1),
            cv::Vec3b(26002 % 256, 26002 / 256, 0));
  EXPECT_EQ(record->colors.at<cv::Vec3b>(0, 0), cv::Vec3b(0, 0, 0));
}

}  // namespace
}  // namespace mask2former
