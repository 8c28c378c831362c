#include "mask2former/tools/predict/input_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

class FindInputFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(CreateDirectories(root_ + "/ulm"), IsOk());
  }

  void Touch(const std::string& name) {
    ASSERT_THAT(WriteFileAtomically(absl::StrCat(root_, "/", name), "x"),
                IsOk());
  }

  auto Is(const std::string& name, const std::string& stem) {
    return AllOf(Field(&InputFile::path, absl::StrCat(root_, "/", name)),
                 Field(&InputFile::stem, stem));
  }

  std::string root_;
};

TEST_F(FindInputFilesTest, TakesAFileWhateverItsEnding) {
  Touch("frame.0001.jpeg2000");
  const auto files = FindInputFiles(root_ + "/frame.0001.jpeg2000");
  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(*files, ElementsAre(Is("frame.0001.jpeg2000", "frame.0001")));
}

TEST_F(FindInputFilesTest, WalksFoldersInOrderAndLeavesOtherFiles) {
  Touch("ulm/b.png");
  Touch("ulm/a.JPG");
  Touch("c.tiff");
  Touch("notes.txt");
  const auto files = FindInputFiles(root_ + "/");
  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(*files, ElementsAre(Is("c.tiff", "c"), Is("ulm/a.JPG", "ulm/a"),
                                  Is("ulm/b.png", "ulm/b")));
}

TEST_F(FindInputFilesTest, ExpandsPatterns) {
  Touch("ulm/a1.png");
  Touch("ulm/a2.png");
  Touch("ulm/b1.png");
  const auto files = FindInputFiles(root_ + "/*/a?.png");
  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(*files,
              ElementsAre(Is("ulm/a1.png", "a1"), Is("ulm/a2.png", "a2")));
}

TEST_F(FindInputFilesTest, AFileWhoseNameLooksLikeAPatternIsAFile) {
  Touch("a[1].png");
  const auto files = FindInputFiles(root_ + "/a[1].png");
  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(*files, ElementsAre(Is("a[1].png", "a[1]")));
}

TEST_F(FindInputFilesTest, SaysWhatItLookedFor) {
  EXPECT_THAT(FindInputFiles(root_ + "/none"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none")));
  EXPECT_THAT(FindInputFiles(root_ + "/ulm"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(".png")));
}

TEST_F(FindInputFilesTest, RefusesTwoPicturesWithOneResult) {
  Touch("a.png");
  Touch("a.jpg");
  EXPECT_THAT(FindInputFiles(root_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("a.jpg"), HasSubstr("a.png"))));
}

}  // namespace
}  // namespace mask2former
