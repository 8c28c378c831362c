#include "mask2former/train/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

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
  EXPECT_THAT(OpenRunDirectory(path, ExistingRun::kRefuse), IsOk());
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

TEST(OpenRunDirectoryTest, ResumeTakesWhatIsThereAsItIs) {
  const std::string path = Fresh("resume");
  MakeCheckpoint(path, "step_20");
  EXPECT_THAT(OpenRunDirectory(path, ExistingRun::kResume), IsOk());
  EXPECT_TRUE(DirectoryExists(path + "/checkpoints/step_20"));
  EXPECT_THAT(OpenRunDirectory(Fresh("nothing"), ExistingRun::kResume), IsOk());
}

TEST(OpenRunDirectoryTest, MovesAnOldRunAwayAndLosesNothing) {
  const std::string path = Fresh("move");
  for (const char* aside : {".1", ".2"}) {
    MakeCheckpoint(path, "step_20");
    EXPECT_THAT(OpenRunDirectory(path, ExistingRun::kMoveAway), IsOk());
    EXPECT_TRUE(DirectoryExists(path + aside + "/checkpoints/step_20"));
    EXPECT_FALSE(DirectoryExists(path + "/checkpoints"));
  }
}

TEST(OpenRunDirectoryTest, SaysWhyAFolderCannotBeMade) {
  const std::string file = Fresh("file");
  ASSERT_THAT(WriteFileAtomically(file, "x"), IsOk());
  const absl::Status status =
      OpenRunDirectory(file + "/run", ExistingRun::kRefuse);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(file));
}

TEST(OpenRunDirectoryTest, AReadOnlyFolderIsAnErrorBeforeAnythingIsTrained) {
  std::string path = Fresh("read_only");
  ASSERT_THAT(CreateDirectories(path), IsOk());
  ASSERT_EQ(chmod(path.c_str(), 0555), 0);
  if (geteuid() == 0) path = "/proc";  // Modes do not stop root.
  const absl::Status status = OpenRunDirectory(path, ExistingRun::kRefuse);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
}

}  // namespace
}  // namespace mask2former
