#include "mask2former/data/official_splits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mask2former {
namespace {

using ::testing::IsNull;
using ::testing::NotNull;

std::vector<CityscapesFrame> FramesOf(const std::vector<std::string>& cities) {
  std::vector<CityscapesFrame> frames(cities.size());
  for (size_t i = 0; i < cities.size(); ++i) frames[i].city = cities[i];
  return frames;
}

TEST(OfficialSplitsTest, FiveThousandPicturesOfTwentySevenCities) {
  int64_t pictures = 0;
  std::set<absl::string_view> cities;
  for (const OfficialSplit& split : OfficialSplits()) {
    pictures += split.pictures;
    cities.insert(split.cities.begin(), split.cities.end());
  }
  EXPECT_EQ(pictures, 5000);
  EXPECT_EQ(cities.size(), 27);
}

TEST(OfficialSplitsTest, AnyCityOfTheSplitTells) {
  const OfficialSplit* val = FindOfficialSplit("val", FramesOf({"munster"}));
  ASSERT_THAT(val, NotNull());
  EXPECT_EQ(val->pictures, 500);
  const OfficialSplit* train =
      FindOfficialSplit("train", FramesOf({"elsewhere", "zurich"}));
  ASSERT_THAT(train, NotNull());
  EXPECT_EQ(train->pictures, 2975);
}

TEST(OfficialSplitsTest, OtherSplitsAndCitiesAreNotOfficial) {
  EXPECT_THAT(FindOfficialSplit("val", FramesOf({"gridhaven"})), IsNull());
  EXPECT_THAT(FindOfficialSplit("val", FramesOf({"aachen"})), IsNull());
  EXPECT_THAT(FindOfficialSplit("train_extra", FramesOf({"aachen"})), IsNull());
  EXPECT_THAT(FindOfficialSplit("val", {}), IsNull());
}

}  // namespace
}  // namespace mask2former
