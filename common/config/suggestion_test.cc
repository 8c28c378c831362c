#include "mask2former/common/config/suggestion.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mask2former {
namespace {

TEST(EditDistanceTest, CountsEachKindOfSlipOnce) {
  EXPECT_EQ(EditDistance("power", "power"), 0);
  EXPECT_EQ(EditDistance("power", "powr"), 1);
  EXPECT_EQ(EditDistance("power", "powwer"), 1);
  EXPECT_EQ(EditDistance("power", "pover"), 1);
  EXPECT_EQ(EditDistance("power", "poewr"), 1);
  EXPECT_EQ(EditDistance("power", "POWER"), 0);
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(SuggestTest, NamesTheNearest) {
  EXPECT_EQ(Suggest("base_rl", {"max_iter", "base_lr"}),
            "; did you mean 'base_lr'?");
}

TEST(SuggestTest, ListsAllIfNoneIsNear) {
  EXPECT_EQ(Suggest("colour", {"max_iter", "base_lr"}),
            "; known are max_iter, base_lr");
}

TEST(SuggestTest, ListsFortyAtMost) {
  std::vector<std::string> names(41, "aaaaaaaa");
  names.back() = "bbbbbbbb";
  const std::string text = Suggest("zzz", names);
  EXPECT_EQ(text.find("bbbbbbbb"), std::string::npos);
  EXPECT_EQ(text.substr(text.size() - 4), ", ..");
}

TEST(SuggestTest, IsEmptyWithoutNames) { EXPECT_EQ(Suggest("x", {}), ""); }

}  // namespace
}  // namespace mask2former
