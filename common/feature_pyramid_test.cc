#include "mask2former/common/feature_pyramid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

TEST(CheckStridesTest, AcceptsTheGivenStrides) {
  EXPECT_THAT(CheckStrides({{64, 4}, {128, 8}}, {4, 8}), IsOk());
}

TEST(CheckStridesTest, ListsBothWhenTheyDiffer) {
  EXPECT_THAT(CheckStrides({{64, 4}, {128, 8}}, {4, 8, 16}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("strides 4, 8, 16, got 4, 8")));
}

}  // namespace
}  // namespace mask2former
