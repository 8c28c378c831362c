#include "mask2former/common/file_io.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

// Some systems refuse more than 2 GiB in one call.
constexpr size_t kLargestTransfer = size_t{1} << 30;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const { return fd_; }

  // False, with errno, where data could not be delivered (network disks).
  bool Close() {
    const int fd = fd_;
    fd_ = -1;
    return close(fd) == 0 || errno == EINTR;
  }

 private:
  int fd_;
};

std::string ParentDirectory(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return path.empty() ? "." : "/";
  const size_t slash = path.find_last_of('/', end);
  if (slash == std::string::npos) return ".";
  const size_t last = path.find_last_not_of('/', slash);
  return last == std::string::npos ? "/" : path.substr(0, last + 1);
}

bool Stat(const std::string& path, struct stat* result) {
  return stat(path.c_str(), result) == 0;
}

// The outermost folder above `path` that does not exist; empty if none.
std::string FirstMissingFolder(const std::string& path) {
  std::string missing;
  struct stat unused;
  for (std::string folder = ParentDirectory(path);
       !Stat(folder, &unused) && errno == ENOENT;
       folder = ParentDirectory(folder)) {
    missing = folder;
  }
  return missing;
}

// cannot <verb> "<path>": <reason of errno>
absl::Status ErrnoStatus(absl::string_view verb, const std::string& path) {
  const int error = errno;
  std::string message =
      absl::StrCat("cannot ", verb, " \"", path, "\": ", std::strerror(error));
  if (error == ENOENT) {
    const std::string missing = FirstMissingFolder(path);
    if (!missing.empty()) {
      absl::StrAppend(&message, " (there is no folder \"", missing, "\")");
    }
  }
  return absl::Status(absl::ErrnoToStatusCode(error), message);
}

absl::Status WriteErrnoStatus(const std::string& path, uint64_t needed) {
  switch (errno) {
    case ENOSPC:
    case EDQUOT: {
      const bool quota = errno == EDQUOT;
      struct statvfs disk;
      std::string available;
      if (!quota && statvfs(ParentDirectory(path).c_str(), &disk) == 0) {
        available = absl::StrCat(
            ", ", uint64_t{disk.f_bavail} * uint64_t{disk.f_frsize},
            " available");
      }
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot write \"", path,
                       "\": ", quota ? "disk quota exceeded" : "disk full",
                       ": ", needed, " bytes needed", available));
    }
    case EFBIG: {
      struct rlimit limit;
      std::string allowed;
      if (getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
          limit.rlim_cur != RLIM_INFINITY) {
        allowed = absl::StrCat(", the limit (ulimit -f) is ",
                               uint64_t{limit.rlim_cur});
      }
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot write \"", path, "\": file too large: ", needed,
                       " bytes needed", allowed));
    }
    default:
      return ErrnoStatus("write", path);
  }
}

uint64_t TotalSize(absl::Span<const absl::string_view> pieces) {
  uint64_t total = 0;
  for (const absl::string_view piece : pieces) total += piece.size();
  return total;
}

// False, with errno, unless everything was written.
bool WriteAll(int fd, absl::string_view piece) {
  while (!piece.empty()) {
    const ssize_t written =
        write(fd, piece.data(), std::min(piece.size(), kLargestTransfer));
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    piece.remove_prefix(written);
  }
  return true;
}

bool WriteAll(int fd, absl::Span<const absl::string_view> pieces) {
  return std::all_of(
      pieces.begin(), pieces.end(),
      [fd](absl::string_view piece) { return WriteAll(fd, piece); });
}

// Data of pipes and devices cannot be synced, some systems sync no directory.
bool Sync(int fd) {
  while (fsync(fd) != 0) {
    if (errno == EINVAL || errno == ENOTSUP || errno == EROFS) return true;
    if (errno != EINTR) return false;
  }
  return true;
}

absl::Status WriteDirectly(const std::string& path,
                           absl::Span<const absl::string_view> pieces) {
  FileDescriptor file(open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (file.get() < 0) return ErrnoStatus("open", path);
  if (!WriteAll(file.get(), pieces) || !file.Close()) {
    return WriteErrnoStatus(path, TotalSize(pieces));
  }
  return absl::OkStatus();
}

// Writes and syncs a new file `temporary`; messages speak of `path`.
absl::Status WriteTemporary(const std::string& temporary,
                            const std::string& path, bool has_mode, mode_t mode,
                            absl::Span<const absl::string_view> pieces) {
  FileDescriptor file(
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) return WriteErrnoStatus(path, TotalSize(pieces));
  if (!WriteAll(file.get(), pieces) ||
      (has_mode && fchmod(file.get(), mode & 07777) != 0) ||
      !Sync(file.get()) || !file.Close()) {
    return WriteErrnoStatus(path, TotalSize(pieces));
  }
  return absl::OkStatus();
}

// The file that a link leads to, else `path` as it is.
std::string ResolveLinks(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) {
    return path;
  }
  char* const resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result = resolved;
  std::free(resolved);
  return result;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(absl::string_view path_view) {
  const std::string path(path_view);
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return ErrnoStatus("open", path);
  struct stat status;
  if (fstat(file.get(), &status) != 0) return ErrnoStatus("read", path);
  if (S_ISDIR(status.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot read \"", path, "\": it is a directory"));
  }
  // One byte more than the size finds the end of an ordinary file; files of
  // /proc and pipes say size 0 and grow.
  std::string contents(status.st_size + 1, '\0');
  size_t size = 0;
  while (true) {
    if (size == contents.size()) contents.resize(2 * size);
    const ssize_t count =
        read(file.get(), &contents[size],
             std::min(contents.size() - size, kLargestTransfer));
    if (count < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus("read", path);
    }
    if (count == 0) break;
    size += count;
  }
  contents.resize(size);
  return contents;
}

absl::Status WriteFileAtomically(absl::string_view path,
                                 absl::string_view contents) {
  return WriteFileAtomically(path, absl::MakeConstSpan(&contents, 1));
}

absl::Status WriteFileAtomically(absl::string_view path_view,
                                 absl::Span<const absl::string_view> pieces) {
  if (path_view.empty()) {
    return absl::InvalidArgumentError("cannot write a file without a name");
  }
  struct stat status;
  const bool exists = Stat(std::string(path_view), &status);
  if (exists && S_ISDIR(status.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot write \"", path_view, "\": it is a directory"));
  }
  // /dev/stdout may lead to an ordinary file, which others are writing too.
  if (exists &&
      (!S_ISREG(status.st_mode) || absl::StartsWith(path_view, "/dev/"))) {
    return WriteDirectly(std::string(path_view), pieces);
  }
  const std::string path = ResolveLinks(std::string(path_view));

  static std::atomic<uint64_t> counter{0};
  const std::string temporary =
      absl::StrCat(path, ".tmp.", getpid(), ".", counter++);
  const absl::Status written = WriteTemporary(
      temporary, path, exists, exists ? status.st_mode : 0, pieces);
  if (!written.ok()) {
    unlink(temporary.c_str());
    return written;
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const absl::Status renamed = ErrnoStatus("replace", path);
    unlink(temporary.c_str());
    return renamed;
  }
  const std::string directory = ParentDirectory(path);
  return SyncDirectory(directory);
}

absl::Status SyncDirectory(absl::string_view path_view) {
  const std::string path(path_view);
  const FileDescriptor folder(
      open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A folder that may be written but not listed cannot be opened for syncing.
  if (folder.get() >= 0 && !Sync(folder.get())) {
    return ErrnoStatus("sync the folder", path);
  }
  return absl::OkStatus();
}

absl::Status CreateDirectories(absl::string_view path_view) {
  const std::string path(path_view);
  struct stat status;
  if (path.empty()) return absl::OkStatus();
  if (Stat(path, &status)) {
    if (S_ISDIR(status.st_mode)) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot create the folder \"", path, "\": a file has this name"));
  }
  const std::string parent = ParentDirectory(path);
  if (parent != path) M2F_RETURN_IF_ERROR(CreateDirectories(parent));
  if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) {
    return ErrnoStatus("create the folder", path);
  }
  return absl::OkStatus();
}

bool FileExists(absl::string_view path) {
  struct stat status;
  return Stat(std::string(path), &status) && !S_ISDIR(status.st_mode);
}

bool DirectoryExists(absl::string_view path) {
  struct stat status;
  return Stat(std::string(path), &status) && S_ISDIR(status.st_mode);
}

absl::StatusOr<std::vector<std::string>> ListDirectory(
    absl::string_view path_view) {
  const std::string path(path_view);
  DIR* const directory = opendir(path.c_str());
  if (directory == nullptr) return ErrnoStatus("list the folder", path);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* const entry = readdir(directory)) {
    const absl::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  const absl::Status status =
      errno == 0 ? absl::OkStatus() : ErrnoStatus("list the folder", path);
  closedir(directory);
  M2F_RETURN_IF_ERROR(status);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace mask2former
