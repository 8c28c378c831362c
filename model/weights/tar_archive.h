#ifndef MASK2FORMER_MODEL_WEIGHTS_TAR_ARCHIVE_H_
#define MASK2FORMER_MODEL_WEIGHTS_TAR_ARCHIVE_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// Whether `bytes` start as a tar archive.
bool IsTar(absl::string_view bytes);

// The files in a tar archive, by name, where they lie in `archive`.
//
// Folders and links are left out; of extended headers only those are read over
// that change neither a name nor a size. (libarchive copies what it reads, so
// that nothing could be mapped.)
//
// Returns InvalidArgument, with the offset, for archives that are malformed or
// cut off, for files of 8 GiB or more, for two files of one name.
//
// Source: POSIX.1-2017, pax, "ustar Interchange Format".
absl::StatusOr<std::map<std::string, absl::string_view>> ReadTar(
    absl::string_view archive);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_TAR_ARCHIVE_H_
