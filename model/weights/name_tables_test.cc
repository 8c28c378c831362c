#include "mask2former/model/weights/name_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mask2former {
namespace {

class NameTablesTest
    : public testing::TestWithParam<absl::Span<const NameRule> (*)()> {};

// Puts numbers and a rest in the place of '#' and '*'.
std::string Example(absl::string_view pattern) {
  std::string name;
  int number = 2;
  for (const char c : pattern) {
    if (c == '#') {
      name += std::to_string(number++);
    } else if (c == '*') {
      name += "weight";
    } else {
      name += c;
    }
  }
  return name;
}

TEST_P(NameTablesTest, EveryNameComesBack) {
  for (const NameRule& rule : GetParam()()) {
    const std::string name = Example(rule.left);
    const auto right = ToRight(name, GetParam()());
    ASSERT_TRUE(right.has_value()) << name;
    EXPECT_EQ(right->rule, &rule) << name << " is hidden by an earlier rule";
    const auto left = ToLeft(right->name, GetParam()());
    ASSERT_EQ(static_cast<int>(left.size()), rule.parts) << right->name;
    EXPECT_EQ(left[rule.part < 0 ? 0 : rule.part].name, name);
  }
}

INSTANTIATE_TEST_SUITE_P(All, NameTablesTest,
                         testing::Values(&HuggingFaceSwinNames,
                                         &HuggingFaceResNetNames,
                                         &TorchvisionNames, &BackboneNames,
                                         &SwinNames));

}  // namespace
}  // namespace mask2former
