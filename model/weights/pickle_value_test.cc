#include "mask2former/model/weights/pickle_value.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace mask2former {
namespace {

using Kind = PickleValue::Kind;

PickleValue Make(Kind kind, absl::string_view text,
                 std::vector<const PickleValue*> items = {}) {
  PickleValue value;
  value.kind = kind;
  value.text = text;
  value.items = std::move(items);
  return value;
}

TEST(PickleValueTest, OfTwoEqualKeysTheLastCounts) {
  const PickleValue key = Make(Kind::kString, "a");
  const PickleValue bytes = Make(Kind::kBytes, "b");
  const PickleValue one = Make(Kind::kNone, "1"), two = Make(Kind::kNone, "2");
  const PickleValue dict =
      Make(Kind::kDict, "", {&key, &one, &bytes, &one, &key, &two});
  EXPECT_EQ(dict.Find("a"), &two);
  EXPECT_EQ(dict.Find("b"), nullptr);  // Bytes are no string.
  EXPECT_EQ(Make(Kind::kList, "", {&key, &one}).Find("a"), nullptr);
}

TEST(PickleValueTest, AGlobalIsNoCallOfIt) {
  const PickleValue global = Make(Kind::kGlobal, "torch Size");
  const PickleValue call = Make(Kind::kCall, "", {&global});
  EXPECT_TRUE(global.IsGlobal("torch Size"));
  EXPECT_FALSE(global.Calls("torch Size"));
  EXPECT_TRUE(call.Calls("torch Size"));
  EXPECT_FALSE(call.Calls("torch Sizes"));
  EXPECT_FALSE(call.IsGlobal("torch Size"));
}

}  // namespace
}  // namespace mask2former
