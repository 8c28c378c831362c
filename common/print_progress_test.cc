#include "mask2former/common/print_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Printed(int64_t total) {
  testing::internal::CaptureStdout();
  for (int64_t done = 1; done <= total; ++done) {
    PrintProgress(done, total, "files");
  }
  return testing::internal::GetCapturedStdout();
}

TEST(PrintProgressTest, PrintsEveryOneOfAFew) {
  EXPECT_EQ(Printed(1), "1 of 1 files\n");
  EXPECT_EQ(Printed(3), "1 of 3 files\n2 of 3 files\n3 of 3 files\n");
}

TEST(PrintProgressTest, PrintsTwentyLinesForMany) {
  for (const int64_t total : {600, 607, 100000}) {
    const std::string text = Printed(total);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 20) << text;
    EXPECT_THAT(text, HasSubstr("\n" + std::to_string(total) + " of "));
  }
  EXPECT_THAT(Printed(600), StartsWith("30 of 600 files\n60 of 600 files\n"));
}

}  // namespace
}  // namespace mask2former
