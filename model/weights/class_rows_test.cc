#include "mask2former/model/weights/class_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(MatchClassRowsTest, FindsClassesByName) {
  const ClassRows rows =
      MatchClassRows({"road", "car", "sky"}, 4, {"sky", "tram", "road"}, 4);
  EXPECT_THAT(rows.rows, ElementsAre(Pair(2, 0), Pair(0, 2), Pair(3, 3)));
  EXPECT_THAT(rows.reason, HasSubstr("2 of 3 classes by name"));
  EXPECT_THAT(rows.reason, HasSubstr("as initialised: tram"));
}

TEST(MatchClassRowsTest, GoesByNumberWithoutNamesForAll) {
  EXPECT_THAT(MatchClassRows({"road", "car"}, 3, {}, 5).rows,
              ElementsAre(Pair(0, 0), Pair(1, 1), Pair(2, 4)));
  // A name too few for the file's rows.
  EXPECT_THAT(MatchClassRows({"road", "car"}, 4, {"car"}, 2).rows,
              ElementsAre(Pair(0, 0), Pair(3, 1)));
}

TEST(MatchClassRowsTest, OfNothingTakesNothing) {
  EXPECT_THAT(MatchClassRows({}, 0, {}, 3).rows, IsEmpty());
}

}  // namespace
}  // namespace mask2former
