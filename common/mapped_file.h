#ifndef MASK2FORMER_COMMON_MAPPED_FILE_H_
#define MASK2FORMER_COMMON_MAPPED_FILE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// A file whose bytes appear in memory when they are looked at.
//
// The file must keep its length meanwhile: bytes that another program cuts off
// end this one with SIGBUS. Files replaced as WriteFileAtomically() does are
// safe: the mapping keeps the old bytes.
class MappedFile {
 public:
  // Returns NotFound and the like, with path and the system's reason;
  // FailedPrecondition for a directory.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(
      absl::string_view path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  absl::string_view bytes() const { return bytes_; }

  // Says that `part` of bytes() will not be looked at soon: whole pages of it
  // leave this process, and come back from the file when they are read. Parts
  // outside are ignored.
  void Release(absl::string_view part) const;

 private:
  explicit MappedFile(absl::string_view bytes) : bytes_(bytes) {}

  absl::string_view bytes_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_MAPPED_FILE_H_
