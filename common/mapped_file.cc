#include "mask2former/common/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace mask2former {
namespace {

absl::Status CannotRead(absl::string_view path, int error) {
  return absl::Status(
      absl::ErrnoToStatusCode(error),
      absl::StrCat("cannot read \"", path, "\": ", std::strerror(error)));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(
    absl::string_view path) {
  const int file = open(std::string(path).c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return CannotRead(path, errno);
  const auto close_file = absl::MakeCleanup([file] { close(file); });
  struct stat status;
  if (fstat(file, &status) != 0) return CannotRead(path, errno);
  if (S_ISDIR(status.st_mode)) return CannotRead(path, EISDIR);
  if (!S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot read \"", path, "\": not a regular file"));
  }
  const size_t size = static_cast<size_t>(status.st_size);
  absl::string_view bytes;
  if (size > 0) {  // Nothing cannot be mapped.
    void* const memory =
        mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, /*offset=*/0);
    if (memory == MAP_FAILED) return CannotRead(path, errno);
    bytes = {static_cast<const char*>(memory), size};
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(bytes));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

void MappedFile::Release(absl::string_view part) const {
  const uintptr_t begin = reinterpret_cast<uintptr_t>(part.data());
  const uintptr_t first = reinterpret_cast<uintptr_t>(bytes_.data());
  if (begin < first || begin + part.size() > first + bytes_.size()) return;
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t from = (begin + page - 1) / page * page;
  const uintptr_t to = (begin + part.size()) / page * page;
  if (from < to) {
    // Advice: if it is not taken, only memory is lost.
    madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
  }
}

}  // namespace mask2former
