#include "mask2former/train/logging/log_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "mask2former/common/file_io.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::string Content(const std::string& path) {
  const auto content = ReadFile(path);
  EXPECT_THAT(content, IsOk());
  return content.ok() ? *content : "";
}

TEST(LogFileTest, HoldsWhatIsLoggedWhileItLives) {
  const std::string path = testing::TempDir() + "/log_file_test.txt";
  std::remove(path.c_str());
  LOG(INFO) << "too early";
  {
    const std::unique_ptr<LogFile> file = LogFile::Create();
    LOG(INFO) << "before it has a name";
    ASSERT_THAT(file->WriteTo(path), IsOk());
    LOG(INFO) << "first line\nsecond line";
    LOG(WARNING) << "beware";
    // At once, not at the end.
    EXPECT_THAT(Content(path), HasSubstr("beware"));
  }
  LOG(INFO) << "too late";
  const std::string stamp =
      "[0-9]{8} [0-9:.]+ +[0-9]+ log_file_test.cc:[0-9]+\\] ";
  EXPECT_THAT(Content(path),
              MatchesRegex("I" + stamp + "before it has a name\nI" + stamp +
                           "first line\nsecond line\nW" + stamp + "beware\n"));
}

TEST(LogFileTest, ARunThatGoesOnAddsToIt) {
  const std::string path = testing::TempDir() + "/log_file_test_twice.txt";
  std::remove(path.c_str());
  for (const char* text : {"before", "after"}) {
    const std::unique_ptr<LogFile> file = LogFile::Create();
    ASSERT_THAT(file->WriteTo(path), IsOk());
    LOG(INFO) << text;
  }
  EXPECT_THAT(Content(path),
              AllOf(HasSubstr("before\n"), HasSubstr("after\n")));
}

TEST(LogFileTest, NamesAFileThatCannotBeWritten) {
  EXPECT_THAT(
      LogFile::Create()->WriteTo("/nonexistent/log.txt"),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nonexistent/log.txt")));
}

}  // namespace
}  // namespace mask2former
