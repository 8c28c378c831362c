#include "mask2former/model/weights/pickle_stack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using Kind = PickleValue::Kind;
using ::testing::HasSubstr;

constexpr std::array<absl::string_view, 2> kGlobals = {
    "collections OrderedDict", "pieces Piece"};

TEST(PickleStackTest, WhatIsMarkedBecomesADict) {
  PickleStack stack(kGlobals, 100);
  ASSERT_THAT(stack.PushText(Kind::kString, "below"), IsOk());
  ASSERT_THAT(stack.Mark(), IsOk());
  ASSERT_THAT(stack.PushText(Kind::kString, "a"), IsOk());
  ASSERT_THAT(stack.PushReal(1.5), IsOk());
  ASSERT_THAT(stack.PushMarked(Kind::kDict), IsOk());
  const auto dict = stack.Pop();
  ASSERT_THAT(dict, IsOk());
  EXPECT_EQ((*dict)->Find("a")->real, 1.5);
  const auto below = stack.Pop();
  ASSERT_THAT(below, IsOk());
  EXPECT_EQ((*below)->text, "below");
  EXPECT_EQ(stack.TakeValues().size(), 4);
}

TEST(PickleStackTest, NothingBelowAMarkIsReached) {
  PickleStack stack(kGlobals, 100);
  ASSERT_THAT(stack.PushNumber(Kind::kInt, 1), IsOk());
  ASSERT_THAT(stack.Mark(), IsOk());
  EXPECT_THAT(stack.Pop(), StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("the stack is empty")));
  EXPECT_FALSE(stack.PushTuple(1).ok());
  EXPECT_FALSE(stack.Duplicate().ok());
  // The mark, then the number.
  ASSERT_THAT(stack.PopAny(), IsOk());
  ASSERT_THAT(stack.PopAny(), IsOk());
  EXPECT_FALSE(stack.PopAny().ok());
}

TEST(PickleStackTest, TheMemoKeepsWhatIsPopped) {
  PickleStack stack(kGlobals, 100);
  ASSERT_THAT(stack.PushNumber(Kind::kInt, 7), IsOk());
  ASSERT_THAT(stack.RememberNext(), IsOk());
  ASSERT_THAT(stack.PopAny(), IsOk());
  ASSERT_THAT(stack.Recall(0), IsOk());
  const auto value = stack.Pop();
  ASSERT_THAT(value, IsOk());
  EXPECT_EQ((*value)->number, 7);
  EXPECT_THAT(stack.Recall(1), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("memo 1 is empty")));
}

TEST(PickleStackTest, CallsAreNotesAndOnlyOfListedGlobals) {
  PickleStack stack(kGlobals, 100);
  EXPECT_THAT(stack.PushGlobal("os", "system"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("refers to os.system")));
  // Not a way around: the list has spaces between module and name.
  EXPECT_FALSE(stack.PushGlobal("pieces Piece", "").ok());
  ASSERT_THAT(stack.PushGlobal("pieces", "Piece"), IsOk());
  ASSERT_THAT(stack.PushTuple(0), IsOk());
  ASSERT_THAT(stack.Call(), IsOk());
  ASSERT_THAT(stack.PushNumber(Kind::kInt, 3), IsOk());
  ASSERT_THAT(stack.Build(), IsOk());
  const auto call = stack.Pop();
  ASSERT_THAT(call, IsOk());
  EXPECT_TRUE((*call)->Calls("pieces Piece"));
  EXPECT_EQ((*call)->items[2]->number, 3);
}

TEST(PickleStackTest, OrderedDictsCopyNoMoreThanThePickleHolds) {
  PickleStack stack(kGlobals, /*num_bytes=*/3);
  ASSERT_THAT(stack.PushNumber(Kind::kList, 0), IsOk());
  ASSERT_THAT(stack.Remember(0), IsOk());
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(stack.PushNumber(Kind::kInt, 0), IsOk());
    ASSERT_THAT(stack.Duplicate(), IsOk());
    ASSERT_THAT(stack.PushTuple(2), IsOk());
    ASSERT_THAT(stack.AddTop(Kind::kList, 1), IsOk());
  }
  const auto make = [&] {
    EXPECT_THAT(stack.PushGlobal("collections", "OrderedDict"), IsOk());
    EXPECT_THAT(stack.Recall(0), IsOk());
    EXPECT_THAT(stack.PushTuple(1), IsOk());
    return stack.Call();
  };
  EXPECT_THAT(make(), IsOk());
  EXPECT_THAT(make(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("OrderedDict is too large")));
}

}  // namespace
}  // namespace mask2former
