#include "mask2former/common/scalar_type.h"

#include <c10/core/ScalarType.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

TEST(ScalarTypeTest, TypesLeadBackToThemselvesAndHaveTheSameSize) {
  int supported = 0;
  for (const absl::string_view name :
       absl::StrSplit(ElementTypeNames(), ", ")) {
    const ElementType type = *ElementTypeFromName(name);
    const auto scalar = ScalarTypeOf(type);
    if (!scalar.ok()) continue;
    ++supported;
    EXPECT_EQ(static_cast<int64_t>(c10::elementSize(*scalar)),
              ElementSize(type))
        << name;
    const auto back = ElementTypeOf(*scalar);
    ASSERT_THAT(back, IsOk());
    EXPECT_EQ(*back, type) << name;
  }
  EXPECT_EQ(supported, 13);
}

TEST(ScalarTypeTest, NamesWhatIsNotSupported) {
  EXPECT_THAT(ScalarTypeOf(ElementType::kComplex64),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("dtype C64 is not supported; supported are "
                                 "F64, F32")));
  EXPECT_THAT(ElementTypeOf(at::kQInt8),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("dtype QInt8 is not supported")));
}

}  // namespace
}  // namespace mask2former
