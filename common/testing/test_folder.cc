#include "mask2former/common/testing/test_folder.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace mask2former {

std::string FreshTestFolder() {
  const ::testing::TestInfo& test =
      *::testing::UnitTest::GetInstance()->current_test_info();
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / test.test_suite_name() /
      test.name();
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder.string();
}

}  // namespace mask2former
