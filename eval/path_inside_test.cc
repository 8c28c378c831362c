#include "mask2former/eval/path_inside.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

TEST(PathInsideTest, IsTheNormalisedPath) {
  const auto path = [](const std::string& name) {
    return PathInside(name, "/r/city", "/r/", "the mask");
  };
  EXPECT_EQ(path("a.png").value_or("?"), "/r/city/a.png");
  EXPECT_EQ(path("./b/../a.png").value_or("?"), "/r/city/a.png");
  EXPECT_EQ(path("../a.png").value_or("?"), "/r/a.png");
  EXPECT_EQ(path("..a.png").value_or("?"), "/r/city/..a.png");
  EXPECT_EQ(PathInside("a", "/", "/", "the mask").value_or("?"), "/a");
  EXPECT_EQ(PathInside("a", "b/", "b", "the mask").value_or("?"),
            (std::filesystem::current_path() / "b/a").string());
}

TEST(PathInsideTest, RejectsPathsThatLeaveTheRoot) {
  const auto expect = [](const std::string& name, const std::string& what) {
    EXPECT_THAT(PathInside(name, "/r/city", "/r/city", "the PNG"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)))
        << name;
  };
  expect("", R"(names the PNG ""; want a path relative to the folder /r/city)");
  expect("/r/city/a.png", R"(names the PNG "/r/city/a.png"; want)");
  expect("../a.png",
         R"(names the PNG "../a.png", which is /r/a.png, outside of )"
         "the folder /r/city");
  expect("../city2/a.png", "which is /r/city2/a.png, outside");
  expect("b/../../../a.png", "which is /a.png, outside");
  expect(".", "which is /r/city, outside");
  expect("..", "which is /r, outside");
}

}  // namespace
}  // namespace mask2former
