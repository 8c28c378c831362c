#include "mask2former/common/flags.h"

#include <gflags/gflags.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/status_matchers.h"

DEFINE_string(fruit, "apple", "What to eat.");
DEFINE_int32(count, 1, "How many of it.");
DEFINE_bool(peel, false, "Whether to peel.");
DEFINE_double(weight, 0.5, "Of one, in kilograms.");

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class FlagsTest : public testing::Test {
 private:
  google::FlagSaver saver_;
};

TEST_F(FlagsTest, ReadsAllSpellings) {
  const auto line = ParseFlags(
      __FILE__, {"--fruit=pear", "-count", "3", "--peel", "--weight=-1e-3"});
  ASSERT_THAT(line, IsOk());
  EXPECT_FALSE(line->help);
  EXPECT_EQ(FLAGS_fruit, "pear");
  EXPECT_EQ(FLAGS_count, 3);
  EXPECT_TRUE(FLAGS_peel);
  EXPECT_EQ(FLAGS_weight, -1e-3);
  ASSERT_THAT(ParseFlags(__FILE__, {"--nopeel"}), IsOk());
  EXPECT_FALSE(FLAGS_peel);
  ASSERT_THAT(ParseFlags(__FILE__, {"--fruit="}), IsOk());
  EXPECT_EQ(FLAGS_fruit, "");
}

TEST_F(FlagsTest, CollectsSetInOrder) {
  const auto line = ParseFlags(
      __FILE__, {"--set=a.b=1", "--count=2", "--set", "c={d: 2}", "-set=e="});
  ASSERT_THAT(line, IsOk());
  EXPECT_THAT(line->overrides, ElementsAre("a.b=1", "c={d: 2}", "e="));
}

TEST_F(FlagsTest, ListsAllMistakesAndChangesNothing) {
  EXPECT_THAT(
      ParseFlags(__FILE__, {"--friut=pear", "orange", "--count=2", "--count=3",
                            "--fruit=pear", "--weight"}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("unknown flag --friut; did you mean '--fruit'"),
                     HasSubstr("unexpected argument 'orange'"),
                     HasSubstr("--count is given twice"),
                     HasSubstr("--weight needs a value"))));
  EXPECT_EQ(FLAGS_fruit, "apple");
  EXPECT_EQ(FLAGS_count, 1);
}

TEST_F(FlagsTest, NamesTheTypeThatAFlagWants) {
  EXPECT_THAT(ParseFlags(__FILE__, {"--count=many"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("--count is a whole number, got 'many'")));
}

TEST_F(FlagsTest, AcceptsFlagsOfLibraries) {
  EXPECT_THAT(ParseFlags(__FILE__, {"--tab_completion_columns=70"}), IsOk());
}

TEST_F(FlagsTest, HelpWinsOverMistakes) {
  const auto line = ParseFlags(__FILE__, {"--no_such", "--help"});
  ASSERT_THAT(line, IsOk());
  EXPECT_TRUE(line->help);
}

TEST_F(FlagsTest, HelpShowsTheFlagsOfThisFileOnly) {
  const std::string help = FlagsHelp("Eats fruit.\n", __FILE__, true);
  EXPECT_THAT(help, AllOf(HasSubstr("Eats fruit.\n\nFlags:\n"),
                          HasSubstr("  --count  (whole number, default 1)\n"
                                    "      How many of it.\n"),
                          HasSubstr("--set"), Not(HasSubstr("flagfile"))));
  EXPECT_THAT(FlagsHelp("Eats.", __FILE__, false), Not(HasSubstr("--set")));
}

}  // namespace
}  // namespace mask2former
