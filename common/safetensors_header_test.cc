#include "mask2former/common/safetensors_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "absl/strings/string_view.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string File(const std::string& header, const std::string& data) {
  std::string file(8, '\0');
  const uint64_t size = header.size();
  std::memcpy(&file[0], &size, sizeof(size));
  return file + header + data;
}

// What it refuses: safetensors_test.cc.
TEST(ParseSafetensorsTest, PointsIntoTheFileInTheOrderOfTheData) {
  const std::string file =
      File(R"({"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
           R"("a":{"dtype":"C64","shape":[1,1],"data_offsets":[3,11]},)"
           R"("__metadata__":{"k":"v"}})",
           "xyz12345678");
  const auto header = ParseSafetensors(file);
  ASSERT_THAT(header, IsOk());
  ASSERT_EQ(header->entries.size(), 2);
  EXPECT_EQ(header->entries[0].name, "b");
  EXPECT_EQ(header->entries[0].data, "xyz");
  EXPECT_EQ(header->entries[0].data.data(), file.data() + file.size() - 11);
  EXPECT_EQ(header->entries[1].type, ElementType::kComplex64);
  EXPECT_THAT(header->entries[1].shape, ElementsAre(1, 1));
  EXPECT_THAT(header->metadata, ElementsAre(Pair("k", "v")));
}

TEST(ParseSafetensorsTest, LooksNoFurtherThanItsBytes) {
  const std::string file =
      File(R"({"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})", "xyz");
  EXPECT_THAT(
      ParseSafetensors(absl::string_view(file).substr(0, file.size() - 1)),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("ends beyond the file")));
}

}  // namespace
}  // namespace mask2former
