#include "mask2former/common/status_prefix.h"

#include <gtest/gtest.h>

namespace mask2former {
namespace {

TEST(StatusPrefixTest, PutsThePrefixBeforeTheMessageOfAnError) {
  EXPECT_EQ(WithPrefix("a.png: ", absl::DataLossError("it is cut")),
            absl::DataLossError("a.png: it is cut"));
}

TEST(StatusPrefixTest, LeavesOkAlone) {
  EXPECT_EQ(WithPrefix("a.png: ", absl::OkStatus()), absl::OkStatus());
}

}  // namespace
}  // namespace mask2former
