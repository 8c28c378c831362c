#include "mask2former/common/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

std::string Written(const std::string& name, const std::string& contents) {
  const std::string path = testing::TempDir() + "/" + name;
  EXPECT_THAT(WriteFileAtomically(path, contents), IsOk());
  return path;
}

TEST(MappedFileTest, ShowsTheBytesAlsoAfterTheFileIsReplaced) {
  const std::string path = Written("bytes", std::string("a\0b", 3));
  const auto file = MappedFile::Open(path);
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ((*file)->bytes(), absl::string_view("a\0b", 3));
  Written("bytes", "other");
  EXPECT_EQ((*file)->bytes(), absl::string_view("a\0b", 3));
}

TEST(MappedFileTest, AnEmptyFileHasNoBytes) {
  const auto file = MappedFile::Open(Written("empty", ""));
  ASSERT_THAT(file, IsOk());
  EXPECT_TRUE((*file)->bytes().empty());
}

// Pages of `bytes` that this process holds.
int64_t PagesHeld(absl::string_view bytes) {
  FILE* const maps = fopen("/proc/self/smaps", "r");
  if (maps == nullptr) return -1;
  const uintptr_t wanted = reinterpret_cast<uintptr_t>(bytes.data());
  char line[512];
  bool inside = false;
  int64_t kilobytes = -1;
  while (fgets(line, sizeof(line), maps) != nullptr) {
    unsigned long from = 0, to = 0;  // NOLINT(runtime/int): as sscanf wants.
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
      inside = from <= wanted && wanted < to;
    } else if (inside) {
      sscanf(line, "Rss: %ld", &kilobytes);
      if (std::string(line).rfind("Rss:", 0) == 0) break;
    }
  }
  fclose(maps);
  return kilobytes * 1024 / sysconf(_SC_PAGESIZE);
}

TEST(MappedFileTest, ReleasedPagesLeaveTheProcessAndComeBack) {
  const int64_t page = sysconf(_SC_PAGESIZE);
  std::string contents(64 * page, 'x');
  contents[40 * page] = 'y';
  const auto file = MappedFile::Open(Written("pages", contents));
  ASSERT_THAT(file, IsOk());
  const absl::string_view bytes = (*file)->bytes();
  EXPECT_EQ(bytes, contents);  // Looks at all of it.
  EXPECT_EQ(PagesHeld(bytes), 64);
  // Whole pages only: the first and the last of this part stay.
  (*file)->Release(bytes.substr(1, 63 * page));
  EXPECT_EQ(PagesHeld(bytes), 2);
  EXPECT_EQ(bytes[40 * page], 'y');
  const std::string elsewhere(10 * page, 'z');
  (*file)->Release(elsewhere);
  EXPECT_EQ(elsewhere[5 * page], 'z');
}

TEST(MappedFileTest, NamesWhatCannotBeRead) {
  EXPECT_THAT(
      MappedFile::Open("/none/x"),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("\"/none/x\": No such")));
  EXPECT_THAT(
      MappedFile::Open(testing::TempDir()),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("directory")));
  EXPECT_THAT(MappedFile::Open("/dev/null"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("not a regular file")));
}

}  // namespace
}  // namespace mask2former
