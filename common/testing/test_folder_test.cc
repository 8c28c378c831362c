#include "mask2former/common/testing/test_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mask2former {
namespace {

TEST(TestFolderTest, IsEmptyEachTime) {
  const std::string folder = FreshTestFolder();
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::ofstream(folder + "/a.txt") << "left behind";
  EXPECT_FALSE(std::filesystem::is_empty(folder));
  EXPECT_EQ(FreshTestFolder(), folder);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST(TestFolderTest, BelongsToOneTest) {
  EXPECT_NE(FreshTestFolder().find("BelongsToOneTest"), std::string::npos);
}

}  // namespace
}  // namespace mask2former
