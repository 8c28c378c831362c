#include "mask2former/train/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Fresh(const std::string& name) {
  return testing::TempDir() + "/run_directory_test_" + name;
}

void MakeCheckpoint(const std::string& path, const std::string& name) {
  ASSERT_THAT(CreateDirectories(path + "/checkpoints/" + name), IsOk());
}

TEST(OpenRunDirectoryTest, MakesAFolderThatIsMissing) {
  const std::string path = Fresh("new") + "/a/b";
  const auto directory = OpenRunDirectory(path, ExistingRun::kRefuse);
  ASSERT_THAT(directory, IsOk());
  EXPECT_EQ(directory->checkpoint, "");
  EXPECT_TRUE(DirectoryExists(path));
}

TEST(OpenRunDirectoryTest, RefusesAFolderWithARunAndSaysWhatToDo) {
  const std::string path = Fresh("refuse");
  MakeCheckpoint(path, "step_20");
  EXPECT_THAT(OpenRunDirectory(path, ExistingRun::kRefuse),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("step_20"), HasSubstr("--resume"),
                             HasSubstr("--overwrite"))));
}

TEST(OpenRunDirectoryTest, ResumesFromTheNewestCompleteCheckpoint) {
  const std::string path = Fresh("resume");
  MakeCheckpoint(path, "step_20");
  MakeCheckpoint(path, "step_100");
  MakeCheckpoint(path, "step_40");
  MakeCheckpoint(path, "writing_200");  // The program was killed meanwhile.
  const auto directory = OpenRunDirectory(path, ExistingRun::kResume);
  ASSERT_THAT(directory, IsOk());
  EXPECT_EQ(directory->checkpoint, path + "/checkpoints/step_100");
}

TEST(OpenRunDirectoryTest, ResumeWithoutCheckpointStartsAnew) {
  const auto directory =
      OpenRunDirectory(Fresh("nothing"), ExistingRun::kResume);
  ASSERT_THAT(directory, IsOk());
  EXPECT_EQ(directory->checkpoint, "");
}

TEST(OpenRunDirectoryTest, MovesAnOldRunAwayAndLosesNothing) {
  const std::string path = Fresh("move");
  for (const char* aside : {".1", ".2"}) {
    MakeCheckpoint(path, "step_20");
    const auto directory = OpenRunDirectory(path, ExistingRun::kMoveAway);
    ASSERT_THAT(directory, IsOk());
    EXPECT_EQ(directory->checkpoint, "");
    EXPECT_TRUE(DirectoryExists(path + aside + "/checkpoints/step_20"));
    EXPECT_FALSE(DirectoryExists(path + "/checkpoints"));
  }
}

TEST(OpenRunDirectoryTest, SaysWhyAFolderCannotBeMade) {
  const std::string file = Fresh("file");
  ASSERT_THAT(WriteFileAtomically(file, "x"), IsOk());
  const auto directory = OpenRunDirectory(file + "/run", ExistingRun::kRefuse);
  ASSERT_FALSE(directory.ok());
  EXPECT_THAT(std::string(directory.status().message()), HasSubstr(file));
}

}  // namespace
}  // namespace mask2former
