#ifndef MASK2FORMER_DATA_ZIP_ARCHIVE_H_
#define MASK2FORMER_DATA_ZIP_ARCHIVE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct zip;

namespace mask2former {

// The files in a zip archive, without unpacking it. All functions may be called
// from several threads at a time, each of which reads for itself.
class ZipArchive {
 public:
  // Reads the table of contents.
  //
  // Returns NotFound if there is no such file, DataLoss if it is no zip archive
  // or cut short.
  static absl::StatusOr<std::shared_ptr<const ZipArchive>> Open(
      const std::string& path);

  ~ZipArchive();

  // Names are as in the archive: "gtFine/train/ulm/ulm_000000_000019_...png".
  bool HasFile(absl::string_view name) const;
  bool HasFolder(absl::string_view name) const;

  // The names, without folder, of what lies in a folder, in byte order; "" is
  // the archive itself.
  absl::StatusOr<std::vector<std::string>> List(absl::string_view folder) const;

  // The bytes of a file, or its first `count` ones at most.
  //
  // Returns NotFound if it is not in the archive, DataLoss if it is damaged:
  // the checksum of a file that is read whole is verified.
  absl::StatusOr<std::string> Read(absl::string_view name) const;
  absl::StatusOr<std::string> ReadStart(absl::string_view name,
                                        size_t count) const;

 private:
  struct Entry {
    uint64_t index;
    uint64_t size;
    uint64_t stored_size;
    uint16_t method;
    uint32_t crc;
  };
  class Reader;

  explicit ZipArchive(std::string path) : path_(std::move(path)) {}

  absl::StatusOr<const Entry*> Find(absl::string_view name) const;
  absl::Status ReadContents(struct zip* archive);

  const std::string path_;
  std::unordered_map<std::string, Entry> files_;
  std::map<std::string, std::vector<std::string>> folders_;
  mutable std::mutex mutex_;
  mutable std::vector<struct zip*> idle_;  // Open, and not in use.
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_ZIP_ARCHIVE_H_
