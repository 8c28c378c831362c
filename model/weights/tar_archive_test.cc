#include "mask2former/model/weights/tar_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// A header and what it describes, filled up to whole blocks.
std::string Member(const std::string& name, const std::string& contents,
                   char type = '0', const std::string& folder = "") {
  std::string header(512, '\0');
  const auto put = [&](size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  put(0, name);
  put(124, absl::StrFormat("%011o", contents.size()));
  put(148, "        ");
  header[156] = type;
  put(257, std::string("ustar\0"
                       "00",
                       8));
  put(345, folder);
  int sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  put(148, absl::StrFormat("%06o", sum) + std::string("\0 ", 2));
  std::string member = header + contents;
  member.resize((member.size() + 511) / 512 * 512, '\0');
  return member;
}

const std::string& End() {
  static const auto* const end = new std::string(1024, '\0');
  return *end;
}

TEST(ReadTarTest, FindsFilesWhereTheyLie) {
  const std::string whole = Member("extra", "20 mtime=1.5\n", 'x') +
                            Member("a", std::string(600, 'a')) +
                            Member("folder/", "", '5') +
                            Member("b", "b", '0', "folder") + End();
  ASSERT_TRUE(IsTar(whole));
  const auto files = ReadTar(whole);
  ASSERT_THAT(files, IsOk());
  ASSERT_EQ(files->size(), 2);
  EXPECT_EQ(files->at("a"), std::string(600, 'a'));
  EXPECT_EQ(files->at("folder/b"), "b");
  EXPECT_EQ(files->at("a").data(), whole.data() + 3 * 512);
}

TEST(ReadTarTest, TheEndMayBeMissing) {
  std::string whole = Member("a", "abc");
  whole.resize(512 + 3);
  const auto files = ReadTar(whole);
  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(*files, ElementsAre(Pair("a", "abc")));
  EXPECT_FALSE(IsTar("ustar"));
  const auto nothing = ReadTar("");
  ASSERT_THAT(nothing, IsOk());
  EXPECT_THAT(*nothing, IsEmpty());
}

TEST(ReadTarTest, NamesWhatItDoesNotRead) {
  const auto refuses = [](const std::string& archive,
                          const std::string& reason) {
    EXPECT_THAT(ReadTar(archive), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr(reason)));
  };
  refuses(Member("a", "abc").substr(0, 514),
          "tar, byte 0: a file of 3 bytes ends beyond the archive");
  std::string damaged = Member("a", "") + Member("b", "");
  damaged[512] = 'c';
  refuses(damaged, "tar, byte 512: a header is damaged");
  refuses(Member("a", "1") + Member("a", "2"), "\"a\" is there twice");
  refuses(Member("x", "12 path=abc\n", 'x'), "beside the headers");
  refuses(Member("././@LongLink", "name", 'L'), "longer than a header");
}

}  // namespace
}  // namespace mask2former
