#include "mask2former/common/element_type.h"

#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/str_split.h"

namespace mask2former {
namespace {

TEST(ElementTypeTest, NamesLeadBackToTheirType) {
  const std::vector<absl::string_view> names =
      absl::StrSplit(ElementTypeNames(), ", ");
  ASSERT_EQ(names.size(), 15);
  for (size_t i = 0; i < names.size(); ++i) {
    const auto type = ElementTypeFromName(names[i]);
    ASSERT_TRUE(type.has_value()) << names[i];
    EXPECT_EQ(static_cast<size_t>(*type), i);
    EXPECT_EQ(ElementTypeName(*type), names[i]);
  }
  EXPECT_FALSE(ElementTypeFromName("F8_E4M3").has_value());
  EXPECT_FALSE(ElementTypeFromName("").has_value());
}

TEST(ElementTypeTest, SizesAreBytes) {
  EXPECT_EQ(ElementSize(ElementType::kFloat64), 8);
  EXPECT_EQ(ElementSize(ElementType::kBFloat16), 2);
  EXPECT_EQ(ElementSize(ElementType::kBool), 1);
  EXPECT_EQ(ElementSize(ElementType::kComplex128), 16);
}

}  // namespace
}  // namespace mask2former
