#ifndef MASK2FORMER_MODEL_WEIGHTS_STORED_ZIP_H_
#define MASK2FORMER_MODEL_WEIGHTS_STORED_ZIP_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// The files in a zip archive, by name, where they lie in `archive`.
//
// Only what weight files use: files stored uncompressed, in one part, ZIP64
// included. Checksums are not compared, since that would read everything.
// (libzip hands out copies only and no offsets, so that nothing could be
// mapped; offsets are all that is read here.)
//
// Returns InvalidArgument, with the file's name, for archives that are
// malformed or cut off, for compressed or encrypted files, for two files of one
// name.
//
// Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16 and 4.5.3.
absl::StatusOr<std::map<std::string, absl::string_view>> ReadStoredZip(
    absl::string_view archive);

// A file to be written; `contents` in pieces that follow each other.
struct ZipItem {
  std::string name;
  std::vector<absl::string_view> contents;
};

// An archive as a list of pieces, to be written one after the other.
struct ZipPieces {
  // In the order of the archive; point into `own` and the items' contents.
  std::vector<absl::string_view> pieces;
  std::vector<std::string> own;
};

// Puts `items` into an archive, uncompressed, each starting at a multiple of 64
// bytes as LibTorch's writer has it (so that it can be mapped).
//
// Returns InvalidArgument for names of over 65535 bytes.
absl::StatusOr<ZipPieces> StoreZip(const std::vector<ZipItem>& items);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_STORED_ZIP_H_
