// The program itself: exit code, report on standard output and as JSON.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/testing/tiny_cityscapes.h"
#include "mask2former/data/testing/zip_folder.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

class CheckDatasetTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(WriteTinyCityscapes(root_ + "/data"), IsOk());
  }

  // Runs the program and returns its exit code.
  int Run(const std::string& flags) {
    const std::string command = absl::StrCat(
        "tools/check_dataset/check_dataset ", flags, " --json=", root_,
        "/report.json > ", root_, "/out.txt 2> ", root_, "/error.txt");
    return WEXITSTATUS(std::system(command.c_str()));
  }

  std::string Text(const std::string& name) const {
    return ReadFile(absl::StrCat(root_, "/", name)).value_or("");
  }

  nlohmann::json Json() const {
    return nlohmann::json::parse(Text("report.json"), nullptr,
                                 /*allow_exceptions=*/false);
  }

  std::string root_;
};

TEST_F(CheckDatasetTest, AGoodSplitExitsWith0) {
  EXPECT_EQ(Run("--splits=val --root=" + root_ + "/data"), 0)
      << Text("error.txt");
  EXPECT_THAT(Text("out.txt"), HasSubstr("no problems"));
  const nlohmann::json json = Json();
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(json["ok"], true);
  EXPECT_EQ(json["splits"][0]["pictures"], 2);
}

TEST_F(CheckDatasetTest, ProblemsExitWith1AndAreInTheReport) {
  const std::string label = TinyCityscapesPath(root_ + "/data", "gtFine", "val",
                                               0, "gtFine_labelIds");
  ASSERT_THAT(
      WritePngAtomically(label, cv::Mat(64, 128, CV_8UC1, cv::Scalar(77))),
      IsOk());
  EXPECT_EQ(Run("--splits=val --root=" + root_ + "/data"), 1);
  EXPECT_THAT(Text("out.txt"), HasSubstr("outside the table: 77"));
  const nlohmann::json json = Json();
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(json["ok"], false);
  EXPECT_THAT(json["splits"][0]["problems"][0].get<std::string>(),
              HasSubstr(label));
}

TEST_F(CheckDatasetTest, AnArchiveCutInHalfIsInTheReport) {
  const std::string data = root_ + "/data";
  const std::string archive = data + "/gtFine_trainvaltest.zip";
  ASSERT_THAT(ZipFolder(data, "gtFine", archive), IsOk());
  std::filesystem::remove_all(data + "/gtFine");
  const auto bytes = ReadFile(archive);
  ASSERT_THAT(bytes, IsOk());
  ASSERT_THAT(WriteFileAtomically(archive, bytes->substr(0, bytes->size() / 2)),
              IsOk());
  EXPECT_EQ(Run("--root=" + data), 1);
  EXPECT_THAT(Text("error.txt"), HasSubstr(archive));
  const nlohmann::json json = Json();
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(json["ok"], false);
  EXPECT_THAT(json["problems"][0].get<std::string>(), HasSubstr(archive));
}

TEST_F(CheckDatasetTest, OneSplitThatIsAbsentLeavesTheReportOfTheOthers) {
  EXPECT_EQ(Run("--splits=test,val --root=" + root_ + "/data"), 1);
  const nlohmann::json json = Json();
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(json["ok"], false);
  EXPECT_THAT(json["splits"][0]["problems"][0].get<std::string>(),
              HasSubstr("no split \"test\""));
  EXPECT_EQ(json["splits"][1]["looked_at"], 2);
}

TEST_F(CheckDatasetTest, SaysWhatIsMissingOnItsCommandLine) {
  EXPECT_EQ(Run(""), 1);
  EXPECT_THAT(Text("error.txt"), HasSubstr("--root"));
  EXPECT_EQ(Run("--root=" + root_ + "/nowhere"), 1);
  EXPECT_THAT(Text("error.txt"), HasSubstr("nowhere"));
}

}  // namespace
}  // namespace mask2former
