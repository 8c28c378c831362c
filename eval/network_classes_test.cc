#include "mask2former/eval/network_classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CityscapesNetworkClassesTest, NineteenAreTheTrainIds) {
  const auto classes = CityscapesNetworkClasses(19);
  ASSERT_THAT(classes, IsOk());
  EXPECT_THAT(classes->label_ids,
              ElementsAre(7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26,
                          27, 28, 31, 32, 33));
  EXPECT_EQ(
      std::count(classes->is_thing.begin(), classes->is_thing.end(), true), 8);
  EXPECT_FALSE(classes->is_thing[10]);
  EXPECT_TRUE(classes->is_thing[11]);
}

TEST(CityscapesNetworkClassesTest, EightAreTheThings) {
  const auto classes = CityscapesNetworkClasses(8);
  ASSERT_THAT(classes, IsOk());
  EXPECT_THAT(classes->label_ids, ElementsAre(24, 25, 26, 27, 28, 31, 32, 33));
  EXPECT_THAT(classes->is_thing, Each(true));
}

TEST(CityscapesNetworkClassesTest, OthersCannotBeScored) {
  EXPECT_THAT(
      CityscapesNetworkClasses(7),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has 7 classes")));
}

}  // namespace
}  // namespace mask2former
