#include "mask2former/data/data_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/testing/zip_folder.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DataFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(CreateDirectories(root_ + "/box/b.zip"), IsOk());
    ASSERT_THAT(WriteFileAtomically(root_ + "/box/a.txt", "first"), IsOk());
    ASSERT_THAT(WriteFileAtomically(root_ + "/box/b.zip/c", "second"), IsOk());
    ASSERT_THAT(ZipFolder(root_, "box", root_ + "/all.zip"), IsOk());
  }

  std::string root_;
};

TEST_F(DataFilesTest, FoldersAndArchivesLookAlike) {
  for (const std::string& above : {root_, root_ + "/all.zip"}) {
    EXPECT_EQ(ReadDataFile(above + "/box/a.txt").value(), "first");
    // A folder may be called .zip, outside and inside.
    EXPECT_EQ(ReadDataFile(above + "/box/b.zip/c").value(), "second");
    EXPECT_EQ(ReadDataFileStart(above + "/box/a.txt", 3).value(), "fir");
    EXPECT_EQ(ReadDataFileStart(above + "/box/a.txt", 30).value(), "first");
    EXPECT_THAT(ListDataFolder(above + "/box").value(),
                ElementsAre("a.txt", "b.zip"));
    EXPECT_TRUE(DataFileExists(above + "/box/a.txt"));
    EXPECT_FALSE(DataFileExists(above + "/box"));
    EXPECT_TRUE(DataFolderExists(above + "/box"));
    EXPECT_FALSE(DataFolderExists(above + "/box/a.txt"));
    EXPECT_THAT(ReadDataFile(above + "/box/x"),
                StatusIs(absl::StatusCode::kNotFound, HasSubstr("x")));
    EXPECT_THAT(ReadDataFileStart(above + "/box/x", 1),
                StatusIs(absl::StatusCode::kNotFound, HasSubstr("x")));
    EXPECT_FALSE(ListDataFolder(above + "/bag").ok());
  }
}

TEST_F(DataFilesTest, AnArchiveThatIsReplacedIsReadAnew) {
  const std::string path = root_ + "/all.zip";
  EXPECT_EQ(ReadDataFile(path + "/box/a.txt").value(), "first");
  ASSERT_THAT(WriteFileAtomically(root_ + "/box/a.txt", "later"), IsOk());
  std::filesystem::remove(path);
  ASSERT_THAT(ZipFolder(root_, "box", path), IsOk());
  EXPECT_EQ(ReadDataFile(path + "/box/a.txt").value(), "later");
}

TEST_F(DataFilesTest, ABrokenArchiveHoldsNothing) {
  const std::string path = root_ + "/all.zip";
  EXPECT_THAT(CheckArchive(path), IsOk());
  ASSERT_THAT(WriteFileAtomically(path, "no archive"), IsOk());
  EXPECT_THAT(CheckArchive(path),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path)));
  EXPECT_FALSE(DataFileExists(path + "/box/a.txt"));
  EXPECT_FALSE(DataFolderExists(path + "/box"));
  EXPECT_THAT(ReadDataFile(path + "/box/a.txt"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path)));
}

}  // namespace
}  // namespace mask2former
