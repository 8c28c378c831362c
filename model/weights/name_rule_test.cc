#include "mask2former/model/weights/name_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mask2former {
namespace {

constexpr NameRule kRules[] = {
    {"layer#.#.bn#.*", "res#.#.conv#.norm.*", {1, 0, 0}},
    {"layer#.#.conv#.*", "res#.#.conv#.*", {1, 0, 0}},
    {"stage#.norm", "norm#", {-1, 0, 0}},
    {"q.*", "qkv.*", {0, 0, 0}, 0, 2},
    {"k.*", "qkv.*", {0, 0, 0}, 1, 2},
};

std::string Right(absl::string_view name) {
  const auto translated = ToRight(name, kRules);
  return translated.has_value() ? translated->name : "";
}

std::string Left(absl::string_view name) {
  const auto translated = ToLeft(name, kRules);
  return translated.empty() ? "" : translated[0].name;
}

TEST(NameRuleTest, CountsFromAnotherNumber) {
  EXPECT_EQ(Right("layer2.10.conv3.weight"), "res3.10.conv3.weight");
  EXPECT_EQ(Right("layer2.10.bn3.running_var"),
            "res3.10.conv3.norm.running_var");
  EXPECT_EQ(Right("stage1.norm"), "norm0");
  EXPECT_EQ(Left("res3.10.conv3.weight"), "layer2.10.conv3.weight");
  EXPECT_EQ(Left("norm0"), "stage1.norm");
}

TEST(NameRuleTest, TheFirstRuleThatFitsCounts) {
  EXPECT_EQ(Left("res2.0.conv1.norm.bias"), "layer1.0.bn1.bias");
}

TEST(NameRuleTest, OtherNamesFitNothing) {
  for (const char* const name :
       {"", "layer.0.conv1.weight", "layer1.0.conv1", "xlayer1.0.conv1.weight",
        "layer1.0.downsample.0.weight", "stage0.norm", "stage1.norm.weight",
        "stage1234.norm", "q"}) {
    EXPECT_EQ(Right(name), "") << name;
  }
  EXPECT_EQ(Left("res0.0.conv1.weight"), "");
}

TEST(NameRuleTest, PartsAreOneTensorOnTheRight) {
  const auto key = ToRight("k.bias", kRules);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->name, "qkv.bias");
  EXPECT_EQ(key->rule->part, 1);
  const auto both = ToLeft("qkv.bias", kRules);
  ASSERT_EQ(both.size(), 2);
  EXPECT_EQ(both[0].name, "q.bias");
  EXPECT_EQ(both[1].name, "k.bias");
}

}  // namespace
}  // namespace mask2former
