#include "mask2former/common/file_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An empty folder of this test's own.
std::string TestFolder() {
  const auto* const info =
      testing::UnitTest::GetInstance()->current_test_info();
  const std::string folder = absl::StrCat(testing::TempDir(), "/file_io_",
                                          info->name(), "_", getpid());
  EXPECT_THAT(CreateDirectories(folder), IsOk());
  return folder;
}

// Lets this process write files of up to `bytes`, as if the disk ended there.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    struct rlimit limit = before_;
    limit.rlim_cur = bytes;
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  struct rlimit before_;
  void (*handler_)(int);
};

TEST(FileIoTest, ReadsWhatWasWritten) {
  const std::string path = TestFolder() + "/file";
  const std::string contents("a\0b\n\xff", 5);
  ASSERT_THAT(WriteFileAtomically(path, contents), IsOk());
  const auto read = ReadFile(path);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(*read, contents);
}

TEST(FileIoTest, WritesEmptyAndLargeFilesAndPieces) {
  const std::string path = TestFolder() + "/file";
  ASSERT_THAT(WriteFileAtomically(path, ""), IsOk());
  EXPECT_EQ(*ReadFile(path), "");
  const std::string large(3 << 20, 'x');
  ASSERT_THAT(WriteFileAtomically(path, {"head ", large, "", " tail"}), IsOk());
  EXPECT_EQ(*ReadFile(path), "head " + large + " tail");
}

TEST(FileIoTest, ReadsFilesThatDoNotKnowTheirSize) {
  const auto read = ReadFile("/proc/self/status");
  ASSERT_THAT(read, IsOk());
  EXPECT_THAT(*read, HasSubstr("Pid:"));
}

TEST(FileIoTest, LeavesNoTemporaryFileAndKeepsTheMode) {
  const std::string folder = TestFolder();
  const std::string path = folder + "/file";
  ASSERT_THAT(WriteFileAtomically(path, "old"), IsOk());
  struct stat status;
  const mode_t mask = umask(0);
  umask(mask);
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0666 & ~mask);
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  ASSERT_THAT(WriteFileAtomically(path, "new"), IsOk());
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, mode_t{0640});
  EXPECT_THAT(*ListDirectory(folder), ElementsAre("file"));
}

TEST(FileIoTest, ReplacesTheTargetOfALinkAndKeepsTheLink) {
  const std::string folder = TestFolder();
  ASSERT_THAT(WriteFileAtomically(folder + "/target", "old"), IsOk());
  ASSERT_EQ(symlink("target", (folder + "/link").c_str()), 0);
  ASSERT_THAT(WriteFileAtomically(folder + "/link", "new"), IsOk());
  struct stat status;
  ASSERT_EQ(lstat((folder + "/link").c_str(), &status), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
  EXPECT_EQ(*ReadFile(folder + "/target"), "new");
}

TEST(FileIoTest, WritesDevicesDirectly) {
  EXPECT_THAT(WriteFileAtomically("/dev/null", "gone"), IsOk());
  EXPECT_THAT(WriteFileAtomically("/dev/full", "12345"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("\"/dev/full\": disk full: 5 bytes needed")));
}

TEST(FileIoTest, AFailedWriteLeavesTheOldFileAndNothingElse) {
  const std::string folder = TestFolder();
  const std::string path = folder + "/file";
  ASSERT_THAT(WriteFileAtomically(path, "old"), IsOk());
  {
    const FileSizeLimit limit(10000);
    EXPECT_THAT(WriteFileAtomically(path, std::string(20000, 'x')),
                StatusIs(absl::StatusCode::kResourceExhausted,
                         AllOf(HasSubstr(path), HasSubstr("20000 bytes needed"),
                               HasSubstr("the limit (ulimit -f) is 10000"))));
  }
  EXPECT_EQ(*ReadFile(path), "old");
  EXPECT_THAT(*ListDirectory(folder), ElementsAre("file"));
}

TEST(FileIoTest, ConcurrentWritersLeaveOneWholeFile) {
  const std::string folder = TestFolder();
  const std::string path = folder + "/file";
  std::vector<std::thread> writers;
  for (char c = 'a'; c < 'e'; ++c) {
    writers.emplace_back([&path, c] {
      for (int i = 0; i < 10; ++i) {
        EXPECT_THAT(WriteFileAtomically(path, std::string(5000, c)), IsOk());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::string contents = *ReadFile(path);
  EXPECT_EQ(contents, std::string(5000, contents[0]));
  EXPECT_THAT(*ListDirectory(folder), ElementsAre("file"));
}

TEST(FileIoTest, NamesTheFirstFolderThatIsMissing) {
  const std::string folder = TestFolder();
  EXPECT_THAT(
      ReadFile(folder + "/a/b/file"),
      StatusIs(absl::StatusCode::kNotFound,
               AllOf(HasSubstr("cannot open \"" + folder + "/a/b/file\""),
                     HasSubstr("No such file or directory"),
                     HasSubstr("there is no folder \"" + folder + "/a\""))));
  EXPECT_THAT(WriteFileAtomically(folder + "/a/file", "x"),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("there is no folder \"" + folder + "/a\"")));
  EXPECT_THAT(ListDirectory(folder + "/a"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/a\"")));
}

TEST(FileIoTest, RefusesPathsBelowAFileAndDirectories) {
  const std::string folder = TestFolder();
  const std::string file = folder + "/file";
  ASSERT_THAT(WriteFileAtomically(file, "x"), IsOk());
  EXPECT_THAT(WriteFileAtomically(file + "/below", "y"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("/below\": Not a directory")));
  EXPECT_THAT(CreateDirectories(file + "/below"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("/file\": a file has this name")));
  EXPECT_THAT(ReadFile(folder), StatusIs(absl::StatusCode::kFailedPrecondition,
                                         HasSubstr("it is a directory")));
  EXPECT_THAT(WriteFileAtomically(folder, "y"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("it is a directory")));
  EXPECT_THAT(WriteFileAtomically("", "y"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("without a name")));
  // Nobody, not even root, creates files here.
  EXPECT_FALSE(WriteFileAtomically("/proc/mask2former", "y").ok());
}

TEST(FileIoTest, CreatesFoldersAndTellsThemFromFiles) {
  const std::string folder = TestFolder();
  ASSERT_THAT(CreateDirectories(folder + "/a//b/c/"), IsOk());
  ASSERT_THAT(CreateDirectories(folder + "/a/b/c"), IsOk());
  ASSERT_THAT(CreateDirectories(""), IsOk());
  ASSERT_THAT(CreateDirectories("/"), IsOk());
  EXPECT_TRUE(DirectoryExists(folder + "/a/b/c"));
  EXPECT_FALSE(FileExists(folder + "/a/b/c"));
  ASSERT_THAT(WriteFileAtomically(folder + "/a/b/c/file", ""), IsOk());
  EXPECT_TRUE(FileExists(folder + "/a/b/c/file"));
  EXPECT_FALSE(DirectoryExists(folder + "/a/b/c/file"));
  EXPECT_FALSE(FileExists(folder + "/none"));
}

TEST(FileIoTest, ListsNamesInByteOrder) {
  const std::string folder = TestFolder();
  for (const char* const name : {"b", "a10", "a9", "B"}) {
    ASSERT_THAT(WriteFileAtomically(folder + "/" + name, ""), IsOk());
  }
  EXPECT_THAT(*ListDirectory(folder), ElementsAre("B", "a10", "a9", "b"));
}

}  // namespace
}  // namespace mask2former
