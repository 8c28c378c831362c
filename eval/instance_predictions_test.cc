#include "mask2former/eval/instance_predictions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class InstancePredictionsTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = absl::StrCat(testing::TempDir(), "/instances_", getpid());
    ASSERT_THAT(CreateDirectories(root_ + "/city"), IsOk());
  }

  absl::StatusOr<std::vector<InstanceLine>> Read(const std::string& text) {
    const std::string path = root_ + "/city/a.txt";
    EXPECT_THAT(WriteFileAtomically(path, text), IsOk());
    return ReadInstancePredictions(path, root_ + "/");
  }

  std::string root_;
};

TEST_F(InstancePredictionsTest, ReadsLines) {
  const auto lines =
      Read("a_0.png 26 0.5\n../masks/b.png 24.9 1e-3\r\n./c.png 7 2");
  ASSERT_THAT(lines, IsOk());
  ASSERT_EQ(lines->size(), 3u);
  EXPECT_THAT((*lines)[0].mask, testing::EndsWith("/city/a_0.png"));
  EXPECT_EQ((*lines)[0].label_id, 26);
  EXPECT_EQ((*lines)[0].score, 0.5);
  EXPECT_THAT((*lines)[1].mask,
              testing::EndsWith(absl::StrCat(getpid(), "/masks/b.png")));
  EXPECT_EQ((*lines)[1].label_id, 24);
  EXPECT_EQ((*lines)[1].score, 1e-3);
  EXPECT_THAT((*lines)[2].mask, testing::EndsWith("/city/c.png"));
}

TEST_F(InstancePredictionsTest, AnEmptyFileHasNone) {
  const auto lines = Read("");
  ASSERT_THAT(lines, IsOk());
  EXPECT_TRUE(lines->empty());
}

TEST_F(InstancePredictionsTest, OfLinesWithTheSameMaskTheLastCounts) {
  const auto lines = Read("a.png 26 0.5\nb.png 26 0.6\n./a.png 24 0.7\n");
  ASSERT_THAT(lines, IsOk());
  ASSERT_EQ(lines->size(), 2u);
  EXPECT_EQ((*lines)[0].label_id, 24);
  EXPECT_EQ((*lines)[0].score, 0.7);
}

TEST_F(InstancePredictionsTest, NamesTheLineAndFieldThatIsWrong) {
  const auto expect = [&](const std::string& line, const std::string& what) {
    EXPECT_THAT(
        Read("a.png 26 0.5\n" + line + "\n"),
        StatusIs(absl::StatusCode::kInvalidArgument,
                 AllOf(HasSubstr("/city/a.txt, line 2, "), HasSubstr(what))));
  };
  expect("b.png 26", "has 2 fields");
  expect("", "has 1 fields");
  expect("b c.png 26 0.5", "has 4 fields");
  expect("/b.png 26 0.5",
         "the mask \"/b.png\"; want a path relative to the folder ");
  expect("../../b.png 26 0.5", "outside of the folder ");
  expect("b.png car 0.5", "the label id \"car\"; label ids are 0..33");
  expect("b.png 34 0.5", "the label id \"34\"");
  expect("b.png nan 0.5", "the label id \"nan\"");
  expect("b.png 26 high", "the score \"high\"; want a finite number");
  expect("b.png 26 nan", "the score \"nan\"");
}

TEST_F(InstancePredictionsTest, NamesTheFileThatIsMissing) {
  EXPECT_THAT(ReadInstancePredictions(root_ + "/none.txt", root_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.txt")));
}

}  // namespace
}  // namespace mask2former
