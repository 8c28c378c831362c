#include "mask2former/data/data_files.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/zip_archive.h"

namespace mask2former {
namespace {

constexpr char kInsideArchive[] = ".zip/";

// What tells that a file was replaced.
struct FileState {
  int64_t size = 0;
  int64_t seconds = 0;
  int64_t nanoseconds = 0;

  bool operator==(const FileState& other) const {
    return size == other.size && seconds == other.seconds &&
           nanoseconds == other.nanoseconds;
  }
};

FileState StateOf(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return {};
  return {info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

// The archive at `path`, opened once as long as it stays the same.
absl::StatusOr<std::shared_ptr<const ZipArchive>> Archive(
    const std::string& path) {
  struct Known {
    FileState state;
    std::shared_ptr<const ZipArchive> archive;
  };
  static std::mutex mutex;
  static auto& known = *new std::map<std::string, Known>();
  const FileState state = StateOf(path);
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = known.find(path);
  if (found != known.end() && found->second.state == state) {
    return found->second.archive;
  }
  M2F_ASSIGN_OR_RETURN(std::shared_ptr<const ZipArchive> archive,
                       ZipArchive::Open(path));
  known[path] = {state, archive};
  return archive;
}

struct InsideArchive {
  std::string archive;
  std::string name;
};

// Where in an archive a path leads, if it does.
std::optional<InsideArchive> SplitPath(const std::string& path) {
  for (size_t at = path.find(kInsideArchive); at != std::string::npos;
       at = path.find(kInsideArchive, at + 1)) {
    const size_t end = at + std::strlen(kInsideArchive);
    std::string archive = path.substr(0, end - 1);
    if (FileExists(archive)) return InsideArchive{archive, path.substr(end)};
  }
  return std::nullopt;
}

absl::StatusOr<std::string> ReadStart(const std::string& path, size_t count) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(
        absl::StrCat("cannot open ", path, ": ", std::strerror(errno)));
  }
  std::string bytes(count, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(file.gcount());
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> ReadDataFile(const std::string& path) {
  const std::optional<InsideArchive> inside = SplitPath(path);
  if (!inside) return ReadFile(path);
  M2F_ASSIGN_OR_RETURN(const auto archive, Archive(inside->archive));
  return archive->Read(inside->name);
}

absl::StatusOr<std::string> ReadDataFileStart(const std::string& path,
                                              size_t count) {
  const std::optional<InsideArchive> inside = SplitPath(path);
  if (!inside) return ReadStart(path, count);
  M2F_ASSIGN_OR_RETURN(const auto archive, Archive(inside->archive));
  return archive->ReadStart(inside->name, count);
}

bool DataFileExists(const std::string& path) {
  const std::optional<InsideArchive> inside = SplitPath(path);
  if (!inside) return FileExists(path);
  const auto archive = Archive(inside->archive);
  return archive.ok() && (*archive)->HasFile(inside->name);
}

bool DataFolderExists(const std::string& path) {
  const std::optional<InsideArchive> inside = SplitPath(path);
  if (!inside) return DirectoryExists(path);
  const auto archive = Archive(inside->archive);
  return archive.ok() && (*archive)->HasFolder(inside->name);
}

absl::StatusOr<std::vector<std::string>> ListDataFolder(
    const std::string& path) {
  const std::optional<InsideArchive> inside = SplitPath(path);
  if (!inside) return ListDirectory(path);
  M2F_ASSIGN_OR_RETURN(const auto archive, Archive(inside->archive));
  return archive->List(inside->name);
}

absl::Status CheckArchive(const std::string& path) {
  return Archive(path).status();
}

}  // namespace mask2former
