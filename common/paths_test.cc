#include "mask2former/common/paths.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace mask2former {
namespace {

TEST(ResolveUserPathTest, IsRelativeToWhereBazelRunWasCalled) {
  setenv("BUILD_WORKING_DIRECTORY", "/home/me/project", 1);
  EXPECT_EQ(ResolveUserPath("configs/a.textproto"),
            "/home/me/project/configs/a.textproto");
  EXPECT_EQ(ResolveUserPath("../b"), "/home/me/b");
  EXPECT_EQ(ResolveUserPath("./c"), "/home/me/project/c");
}

TEST(ResolveUserPathTest, LeavesAbsoluteAndEmptyPathsAlone) {
  setenv("BUILD_WORKING_DIRECTORY", "/home/me/project", 1);
  EXPECT_EQ(ResolveUserPath("/data/x"), "/data/x");
  EXPECT_EQ(ResolveUserPath("/"), "/");
  EXPECT_EQ(ResolveUserPath(""), "");
}

TEST(ResolveUserPathTest, LeavesPathsAloneOutsideBazelRun) {
  unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(ResolveUserPath("configs/a.textproto"), "configs/a.textproto");
  setenv("BUILD_WORKING_DIRECTORY", "", 1);
  EXPECT_EQ(ResolveUserPath("configs/a.textproto"), "configs/a.textproto");
}

// Else "x/" + ".1" would lie inside x.
TEST(ResolveUserPathTest, DropsSlashesAtTheEnd) {
  setenv("BUILD_WORKING_DIRECTORY", "/home/me", 1);
  EXPECT_EQ(ResolveUserPath("/data/x//"), "/data/x");
  EXPECT_EQ(ResolveUserPath("output/"), "/home/me/output");
}

TEST(ResolveUserPathTest, ExpandsTheHomeFolder) {
  setenv("HOME", "/home/me", 1);
  EXPECT_EQ(ResolveUserPath("~/data"), "/home/me/data");
  unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(ResolveUserPath("~data"), "~data");  // A name, not a home.
}

}  // namespace
}  // namespace mask2former
