#ifndef MASK2FORMER_DATA_DATA_FILES_H_
#define MASK2FORMER_DATA_DATA_FILES_H_

// Files in folders and in zip archives alike. A path leads into an archive as
// into a folder:
//
//   /data/gtFine_trainvaltest.zip/gtFine/train/ulm/ulm_000000_000019_...png
//
// Archives stay open once they are used. All functions may be called from
// several threads at a time.

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mask2former {

// The bytes of a file, or its first `count` ones at most. Returns as ReadFile()
// and ZipArchive::Read().
absl::StatusOr<std::string> ReadDataFile(const std::string& path);
absl::StatusOr<std::string> ReadDataFileStart(const std::string& path,
                                              size_t count);

// False also where an archive cannot be opened.
bool DataFileExists(const std::string& path);
bool DataFolderExists(const std::string& path);

// The names, without folder, of everything in a folder, in byte order.
absl::StatusOr<std::vector<std::string>> ListDataFolder(
    const std::string& path);

// Whether a zip archive can be opened. Returns as ZipArchive::Open().
absl::Status CheckArchive(const std::string& path);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_DATA_FILES_H_
