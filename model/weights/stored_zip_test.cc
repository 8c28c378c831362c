#include "mask2former/model/weights/stored_zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

std::string Archive(const std::vector<ZipItem>& items) {
  const auto zip = StoreZip(items);
  EXPECT_THAT(zip, IsOk());
  return absl::StrJoin(zip->pieces, "");
}

std::string Two() {
  return Archive({{"a/data.pkl", {"one", "two"}}, {"b", {}}});
}

// A file by another writer: torch_storages_test.cc. One that reads it:
// tools/convert_weights.
TEST(StoredZipTest, WhatIsStoredIsFoundInPlaceAndAligned) {
  const std::string archive =
      Archive({{"a/data.pkl", {"one", "two"}}, {"b", {}}, {"c", {"x"}}});
  const auto files = ReadStoredZip(archive);
  ASSERT_THAT(files, IsOk());
  ASSERT_EQ(files->size(), 3);
  EXPECT_EQ(files->at("a/data.pkl"), "onetwo");
  EXPECT_EQ(files->at("b"), "");
  EXPECT_EQ(files->at("c"), "x");
  for (const auto& [name, contents] : *files) {
    EXPECT_EQ((contents.data() - archive.data()) % 64, 0) << name;
  }
}

TEST(StoredZipTest, ReadsSmallNumbersWithoutZip64) {
  // As Info-ZIP writes a file "n" that holds "hello".
  const std::string local(
      "PK\x03\x04\x0a\0\0\0\0\0\0\0!\0\x86\xa6\x10\x36\x05\0\0\0\x05\0\0\0"
      "\x01\0\0\0nhello",
      36);
  const std::string central(
      "PK\x01\x02\x1e\x03\x0a\0\0\0\0\0\0\0!\0\x86\xa6\x10\x36\x05\0\0\0\x05\0"
      "\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0n",
      47);
  const std::string end(
      "PK\x05\x06\0\0\0\0\x01\0\x01\0\x2f\0\0\0\x24\0\0\0\x04\0note", 26);
  const std::string archive = local + central + end;
  const auto files = ReadStoredZip(archive);
  ASSERT_THAT(files, IsOk());
  EXPECT_EQ(files->at("n"), "hello");
  std::string compressed = local + central + end;
  compressed[36 + 10] = 8;
  EXPECT_THAT(ReadStoredZip(compressed),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("\"n\": is compressed")));
  std::string encrypted = local + central + end;
  encrypted[36 + 8] = 1;
  EXPECT_THAT(ReadStoredZip(encrypted),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("\"n\": is encrypted")));
  std::string far = local + central + end;
  far[36 + 20] = far[36 + 24] = 100;
  EXPECT_THAT(ReadStoredZip(far), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("\"n\": its contents")));
}

TEST(StoredZipTest, RefusesAnArchiveCutOffAnywhere) {
  const std::string archive = Two();
  for (size_t size = 0; size < archive.size(); ++size) {
    EXPECT_FALSE(ReadStoredZip(archive.substr(0, size)).ok()) << size;
  }
}

TEST(StoredZipTest, RefusesTwoFilesOfAName) {
  EXPECT_THAT(ReadStoredZip(Archive({{"a", {"x"}}, {"a", {"y"}}})),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("\"a\": is there twice")));
}

TEST(StoredZipTest, RefusesNamesThatDoNotFit) {
  EXPECT_FALSE(StoreZip({{std::string(70000, 'x'), {}}}).ok());
}

}  // namespace
}  // namespace mask2former
