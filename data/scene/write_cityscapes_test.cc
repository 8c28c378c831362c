#include "mask2former/data/scene/write_cityscapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/scene/random.h"
#include "mask2former/data/scene/scene.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class GenerateCityscapesTest : public ::testing::Test {
 protected:
  GenerateCityscapesTest() {
    options_.root = FreshTestFolder() + "/data";
    options_.splits = {{"train", 8}, {"val", 2}};
    options_.scene.height = 48;
    options_.scene.width = 96;
    options_.progress = [this](int64_t done, int64_t total) {
      EXPECT_EQ(done, ++written_);
      EXPECT_LE(done, total);
    };
  }

  std::string Path(const std::string& rest) const {
    return options_.root + "/" + rest;
  }

  std::vector<std::string> List(const std::string& folder) const {
    absl::StatusOr<std::vector<std::string>> names =
        ListDirectory(Path(folder));
    EXPECT_THAT(names, IsOk());
    return names.ok() ? *std::move(names) : std::vector<std::string>();
  }

  std::string Read(const std::string& file) const {
    absl::StatusOr<std::string> bytes = ReadFile(Path(file));
    EXPECT_THAT(bytes, IsOk());
    return bytes.ok() ? *std::move(bytes) : "";
  }

  // Every file below the root and what it holds.
  std::map<std::string, std::string> Contents() const {
    std::map<std::string, std::string> contents;
    for (const char* folder : {"leftImg8bit", "gtFine"}) {
      for (const char* split : {"train", "val"}) {
        const std::string base = absl::StrCat(folder, "/", split);
        for (const std::string& city : List(base)) {
          for (const std::string& file : List(absl::StrCat(base, "/", city))) {
            const std::string name = absl::StrCat(base, "/", city, "/", file);
            contents[name] = Read(name);
          }
        }
      }
    }
    return contents;
  }

  GenerateOptions options_;
  int written_ = 0;
};

TEST_F(GenerateCityscapesTest, WritesTheLayoutOfCityscapes) {
  ASSERT_THAT(GenerateCityscapes(options_), IsOk());
  EXPECT_EQ(written_, 10);
  EXPECT_EQ(Contents().size(), 40u);
  EXPECT_THAT(List("leftImg8bit/val"), ElementsAre("ditherton", "gridhaven"));
  // Picture 6 of train is the second of the first city.
  const std::string stem = "train/synthville/synthville_000001_000019";
  const auto image = ReadPng(Path("leftImg8bit/" + stem + "_leftImg8bit.png"),
                             PngFormat::kRgb8);
  const auto labels = ReadPng(Path("gtFine/" + stem + "_gtFine_labelIds.png"),
                              PngFormat::kGray8);
  const auto instances = ReadPng(
      Path("gtFine/" + stem + "_gtFine_instanceIds.png"), PngFormat::kGray16);
  ASSERT_THAT(image, IsOk());
  ASSERT_THAT(labels, IsOk());
  ASSERT_THAT(instances, IsOk());
  const Scene scene = MakeScene(options_.scene, SceneSeed(1, "train", 6));
  EXPECT_EQ(cv::norm(*image, scene.image), 0);
  EXPECT_EQ(cv::norm(*labels, scene.label_ids), 0);
  EXPECT_EQ(cv::norm(*instances, scene.instance_ids), 0);
  const auto json = nlohmann::json::parse(
      Read("gtFine/" + stem + "_gtFine_polygons.json"), nullptr, false);
  EXPECT_EQ(json["imgHeight"], 48);
  EXPECT_EQ(json["objects"].size(), scene.objects.size());
}

TEST_F(GenerateCityscapesTest, GivesTheSameBytesForAnyNumberOfThreads) {
  options_.num_threads = 1;
  ASSERT_THAT(GenerateCityscapes(options_), IsOk());
  const auto one = Contents();
  options_.root += "_three";
  options_.num_threads = 3;
  written_ = 0;
  ASSERT_THAT(GenerateCityscapes(options_), IsOk());
  EXPECT_TRUE(Contents() == one);
}

TEST_F(GenerateCityscapesTest, WritesNothingAgain) {
  ASSERT_THAT(GenerateCityscapes(options_), IsOk());
  written_ = 0;
  ASSERT_THAT(GenerateCityscapes(options_), IsOk());
  EXPECT_EQ(written_, 0);
}

TEST_F(GenerateCityscapesTest, GoesOnWhereItStopped) {
  ASSERT_THAT(GenerateCityscapes(options_), IsOk());
  const auto before = Contents();
  const std::string stem = "val/gridhaven/gridhaven_000000_000019";
  ASSERT_EQ(
      std::remove(Path("leftImg8bit/" + stem + "_leftImg8bit.png").c_str()), 0);
  ASSERT_EQ(std::remove(Path("gtFine/train/synthville/"
                             "synthville_000001_000019_gtFine_labelIds.png")
                            .c_str()),
            0);
  written_ = 0;
  ASSERT_THAT(GenerateCityscapes(options_), IsOk());
  EXPECT_EQ(written_, 2);
  EXPECT_TRUE(Contents() == before);
}

TEST_F(GenerateCityscapesTest, LeavesScenesOfOtherSettingsAlone) {
  ASSERT_THAT(GenerateCityscapes(options_), IsOk());
  const auto before = Contents();
  options_.seed = 2;
  EXPECT_THAT(
      GenerateCityscapes(options_),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr(options_.root), HasSubstr("seed is 1, wanted 2"),
                     HasSubstr("delete that folder"))));
  EXPECT_TRUE(Contents() == before);
}

TEST_F(GenerateCityscapesTest, LeavesOtherDatasetsAlone) {
  ASSERT_THAT(CreateDirectories(Path("leftImg8bit/train/aachen")), IsOk());
  EXPECT_THAT(GenerateCityscapes(options_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("another dataset may be there")));
}

TEST_F(GenerateCityscapesTest, NamesAFolderThatCannotBeMade) {
  ASSERT_THAT(CreateDirectories(options_.root), IsOk());
  ASSERT_THAT(WriteFileAtomically(Path("file"), "x"), IsOk());
  options_.root = Path("file/below");
  const absl::Status status = GenerateCityscapes(options_);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("file"));
}

TEST_F(GenerateCityscapesTest, RejectsBadOptions) {
  const auto expect_bad = [](const GenerateOptions& options,
                             const char* message) {
    EXPECT_THAT(
        GenerateCityscapes(options),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)));
  };
  GenerateOptions bad = options_;
  bad.root = "";
  expect_bad(bad, "no folder");
  bad = options_;
  bad.splits = {{"train", 0}};
  expect_bad(bad, "all splits are empty");
  bad.splits = {{"train", 1}, {"train", 1}};
  expect_bad(bad, "given twice");
  bad.splits = {{"trial", 1}};
  expect_bad(bad, "must be train, val or test");
  bad.splits = {{"train", -1}};
  expect_bad(bad, "0..1000000, got -1");
  bad = options_;
  bad.num_threads = -1;
  expect_bad(bad, "num_threads");
  bad = options_;
  bad.scene.height = 8;
  expect_bad(bad, "height must be in 32..8192");
  EXPECT_FALSE(DirectoryExists(options_.root));
}

TEST(ParseSplitSizesTest, ReadsSplitsAndSizes) {
  const auto sizes = ParseSplitSizes("train:200,val:40,test:0");
  ASSERT_THAT(sizes, IsOk());
  ASSERT_EQ(sizes->size(), 3u);
  EXPECT_EQ((*sizes)[0].name, "train");
  EXPECT_EQ((*sizes)[0].images, 200);
  EXPECT_EQ((*sizes)[2].images, 0);
  for (const char* text : {"", "train", "train:", "train:x", "trial:3",
                           "train:1:2", "train:-4", "train:2,"}) {
    EXPECT_THAT(ParseSplitSizes(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("train:200,val:40")))
        << text;
  }
}

}  // namespace
}  // namespace mask2former
