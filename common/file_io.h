#ifndef MASK2FORMER_COMMON_FILE_IO_H_
#define MASK2FORMER_COMMON_FILE_IO_H_

// Files with errors a user can act on: every Status names the path and the
// system's reason.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace mask2former {

// The bytes of a file.
//
// Returns NotFound, with the first folder of the path that is missing;
// FailedPrecondition for a directory; else the code that fits errno.
absl::StatusOr<std::string> ReadFile(absl::string_view path);

// Makes `path` hold `contents`, or leaves it as it was: writes a temporary file
// in the same directory, syncs it, renames it over `path`, syncs the directory.
// A reader sees the old bytes or the new ones, also after a power cut.
//
// A symbolic link stays and its target is replaced (a dangling link itself).
// Devices and pipes, such as
// /dev/stdout, are written directly. New files get mode 0666 less umask,
// existing ones keep theirs. The directory must exist (CreateDirectories).
//
// Returns ResourceExhausted, with the number of bytes needed, on a full disk;
// else the code that fits errno. The temporary file is removed.
absl::Status WriteFileAtomically(absl::string_view path,
                                 absl::string_view contents);

// The same for contents in pieces, which are written one after the other.
absl::Status WriteFileAtomically(absl::string_view path,
                                 absl::Span<const absl::string_view> pieces);

// Makes what was created, renamed and removed in a folder last through a power
// cut.
absl::Status SyncDirectory(absl::string_view path);

// Creates `path` and the folders above it. No error if it exists already.
absl::Status CreateDirectories(absl::string_view path);

// Whether `path` is a file (or a link to one), respectively a directory. False
// also where it cannot be seen.
bool FileExists(absl::string_view path);
bool DirectoryExists(absl::string_view path);

// The names, without folder, of everything in a directory but "." and "..", in
// byte order.
absl::StatusOr<std::vector<std::string>> ListDirectory(absl::string_view path);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_FILE_IO_H_
