#include "mask2former/tools/doctor/compiled.h"

#include <gtest/gtest.h>

namespace mask2former {
namespace {

TEST(CompiledTest, HasArchitecturesExactlyWithCuda) {
  const CompiledFacts compiled = Compiled();
  EXPECT_EQ(compiled.cuda, !compiled.capabilities.empty());
  EXPECT_EQ(compiled.cuda, compiled.ptx_capability > 0);
  for (int capability : compiled.capabilities) EXPECT_GE(capability, 75);
}

}  // namespace
}  // namespace mask2former
