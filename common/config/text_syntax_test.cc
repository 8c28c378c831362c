#include "mask2former/common/config/text_syntax.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = TextValue::Kind;

TEST(ParseTextSyntaxTest, ReadsEveryKindOfValue) {
  const TextTree tree = ParseTextSyntax(R"(
      word: LINEAR; integer: -0x1f, float: 1e-4  # A comment.
      string: "a\n" 'b'
      message { inner: 1 } other < inner: 2 >
      list: [1, 2.5, { deep: 3 }] empty: [])");
  EXPECT_THAT(tree.errors, IsEmpty());
  ASSERT_THAT(tree.fields, SizeIs(8));
  EXPECT_EQ(tree.fields[0].value.kind, Kind::kIdentifier);
  EXPECT_EQ(tree.fields[0].value.text, "LINEAR");
  EXPECT_EQ(tree.fields[1].value.kind, Kind::kInteger);
  EXPECT_TRUE(tree.fields[1].value.negative);
  EXPECT_EQ(tree.fields[1].value.text, "0x1f");
  EXPECT_EQ(tree.fields[2].value.kind, Kind::kFloat);
  EXPECT_EQ(tree.fields[3].value.text, "a\nb");
  EXPECT_EQ(tree.fields[4].value.fields[0].name, "inner");
  EXPECT_EQ(tree.fields[5].value.fields[0].value.text, "2");
  ASSERT_THAT(tree.fields[6].value.elements, SizeIs(3));
  EXPECT_EQ(tree.fields[6].value.elements[2].kind, Kind::kMessage);
  EXPECT_THAT(tree.fields[7].value.elements, IsEmpty());
}

TEST(ParseTextSyntaxTest, CountsPositionsFromOne) {
  const TextTree tree = ParseTextSyntax("a: 1\n  b {\n    c: 2\n  }");
  ASSERT_THAT(tree.fields, SizeIs(2));
  EXPECT_EQ(tree.fields[1].position.line, 2);
  EXPECT_EQ(tree.fields[1].position.column, 3);
  EXPECT_EQ(tree.fields[1].value.fields[0].value.position.line, 3);
  EXPECT_EQ(tree.fields[1].value.fields[0].value.position.column, 8);
}

TEST(ParseTextSyntaxTest, GoesOnAfterAnError) {
  const TextTree tree = ParseTextSyntax("a 1\nb: 2\nc: :\nd: [1 2]\ne: 5");
  ASSERT_THAT(tree.errors, SizeIs(3));
  EXPECT_EQ(tree.errors[0].position.line, 1);
  EXPECT_THAT(tree.errors[0].message,
              HasSubstr("expected ':' or '{' after 'a', found '1'"));
  EXPECT_THAT(tree.errors[1].message, HasSubstr("expected a value"));
  EXPECT_EQ(tree.errors[2].position.line, 4);
  ASSERT_THAT(tree.fields, SizeIs(2));
  EXPECT_EQ(tree.fields[0].name, "b");
  EXPECT_EQ(tree.fields[1].name, "e");
}

TEST(ParseTextSyntaxTest, RefusesDeepNestingInsteadOfOverflowing) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "a {";
  const TextTree tree = ParseTextSyntax(text);
  ASSERT_FALSE(tree.errors.empty());
  EXPECT_THAT(tree.errors[0].message, HasSubstr("nested too deeply"));
}

TEST(ParseTextSyntaxTest, EndsOnAnyCutOffText) {
  const std::string text =
      "a: 1 b { c: [1, { d: \"x\" }] } e: -inf f < g: 'y' >";
  for (size_t size = 0; size <= text.size(); ++size) {
    ParseTextSyntax(text.substr(0, size));  // Must return.
  }
  EXPECT_THAT(ParseTextSyntax(text).errors, IsEmpty());
}

}  // namespace
}  // namespace mask2former
