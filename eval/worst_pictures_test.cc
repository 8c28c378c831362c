#include "mask2former/eval/worst_pictures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> NamesOf(WorstPictures& worst) {
  std::vector<std::string> names;
  for (const WorstPicture& picture : worst.Take()) {
    names.push_back(picture.name);
  }
  return names;
}

TEST(WorstPicturesTest, KeepsTheLowestScoresInOrder) {
  WorstPictures worst(3);
  worst.Add({"semantic", "a", 0.5, {}});
  worst.Add({"semantic", "b", 0.1, {}});
  worst.Add({"semantic", "c", 0.9, {}});
  EXPECT_TRUE(worst.Wants(0.6));
  EXPECT_FALSE(worst.Wants(0.9)) << "equal to what is there";
  worst.Add({"semantic", "d", 0.9, {}});
  worst.Add({"semantic", "e", 0.5, {}});
  EXPECT_THAT(NamesOf(worst), ElementsAre("b", "a", "e"));
}

TEST(WorstPicturesTest, LeavesOutWhatHasNoScore) {
  WorstPictures worst(2);
  EXPECT_FALSE(worst.Wants(std::numeric_limits<double>::quiet_NaN()));
  worst.Add({"semantic", "a", std::numeric_limits<double>::quiet_NaN(), {}});
  worst.Add({"semantic", "b", 0.4, {}});
  EXPECT_THAT(NamesOf(worst), ElementsAre("b"));
}

TEST(WorstPicturesTest, NoneMayBeWanted) {
  WorstPictures worst(0);
  EXPECT_FALSE(worst.Wants(0));
  worst.Add({"semantic", "a", 0, {}});
  EXPECT_THAT(NamesOf(worst), IsEmpty());
}

}  // namespace
}  // namespace mask2former
