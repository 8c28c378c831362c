#include "mask2former/common/problem_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ListProblemsTest, NoneIsOk) {
  EXPECT_THAT(ListProblems("data", {}), IsOk());
  EXPECT_THAT(ListProblemsOf("data", {}), IsOk());
}

TEST(ListProblemsTest, ShowsTheFirstTen) {
  std::vector<std::string> problems;
  for (int i = 0; i < 12; ++i) problems.push_back("p" + std::to_string(i));
  EXPECT_THAT(
      ListProblems("12 of 20 files", problems),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("12 of 20 files:\n  p0\n  p1\n"),
                     HasSubstr("p9\n  and 2 more"), Not(HasSubstr("p10")))));
  problems.resize(10);
  EXPECT_THAT(ListProblems("x", problems),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("p9"), Not(HasSubstr("more")))));
}

TEST(ListProblemsTest, CountsThem) {
  EXPECT_EQ(ListProblemsOf("data", {"a", "b"}).message(),
            "data has 2 problems:\n  a\n  b");
  EXPECT_EQ(ListProblemsOf("data", {"a"}).message(),
            "data has 1 problem:\n  a");
}

}  // namespace
}  // namespace mask2former
