#include "mask2former/data/zip_archive.h"

#include <libdeflate.h>
#include <zip.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"

namespace mask2former {
namespace {

absl::StatusOr<struct zip*> OpenZip(const std::string& path) {
  if (!FileExists(path)) {
    return absl::NotFoundError(absl::StrCat("there is no file ", path));
  }
  int code = 0;
  struct zip* archive = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (archive != nullptr) return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  std::error_code ignored;
  return absl::DataLossError(absl::StrCat(
      path, " (", std::filesystem::file_size(path, ignored),
      " bytes) cannot be opened: ", reason,
      ". Its end may be missing: compare its size with the download page's, "
      "and download it again"));
}

absl::StatusOr<std::string> Inflate(absl::string_view stored, size_t size) {
  const std::unique_ptr<libdeflate_decompressor,
                        void (*)(libdeflate_decompressor*)>
      decompressor(libdeflate_alloc_decompressor(),
                   libdeflate_free_decompressor);
  std::string bytes(size, '\0');
  if (decompressor == nullptr ||
      libdeflate_deflate_decompress(decompressor.get(), stored.data(),
                                    stored.size(), bytes.data(), bytes.size(),
                                    nullptr) != LIBDEFLATE_SUCCESS) {
    return absl::DataLossError("its compressed data are damaged");
  }
  return bytes;
}

// Reads `count` bytes, as they are stored or as they were.
absl::StatusOr<std::string> ReadBytes(struct zip* archive, uint64_t index,
                                      size_t count, bool as_stored) {
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
      zip_fopen_index(archive, index, as_stored ? ZIP_FL_COMPRESSED : 0),
      zip_fclose);
  if (file == nullptr) {
    return absl::DataLossError(zip_error_strerror(zip_get_error(archive)));
  }
  std::string bytes(count, '\0');
  size_t done = 0;
  while (done < count) {
    const zip_int64_t n =
        zip_fread(file.get(), bytes.data() + done, count - done);
    if (n <= 0) {
      return absl::DataLossError(absl::StrCat(
          "it ends after ", done, " of ", count,
          " bytes: ", zip_error_strerror(zip_file_get_error(file.get()))));
    }
    done += static_cast<size_t>(n);
  }
  return bytes;
}

}  // namespace

// An open archive, taken from the idle ones and given back.
class ZipArchive::Reader {
 public:
  static absl::StatusOr<std::unique_ptr<Reader>> Take(const ZipArchive& owner) {
    {
      const std::lock_guard<std::mutex> lock(owner.mutex_);
      if (!owner.idle_.empty()) {
        struct zip* archive = owner.idle_.back();
        owner.idle_.pop_back();
        return std::make_unique<Reader>(owner, archive);
      }
    }
    M2F_ASSIGN_OR_RETURN(struct zip * archive, OpenZip(owner.path_));
    return std::make_unique<Reader>(owner, archive);
  }

  Reader(const ZipArchive& owner, struct zip* archive)
      : owner_(owner), archive_(archive) {}
  ~Reader() {
    const std::lock_guard<std::mutex> lock(owner_.mutex_);
    owner_.idle_.push_back(archive_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  struct zip* get() const {
    return archive_;
  }

 private:
  const ZipArchive& owner_;
  struct zip* const archive_;
};

absl::StatusOr<std::shared_ptr<const ZipArchive>> ZipArchive::Open(
    const std::string& path) {
  M2F_ASSIGN_OR_RETURN(struct zip * opened, OpenZip(path));
  const std::shared_ptr<ZipArchive> archive(new ZipArchive(path));
  archive->idle_.push_back(opened);
  M2F_RETURN_IF_ERROR(archive->ReadContents(opened));
  return std::shared_ptr<const ZipArchive>(archive);
}

ZipArchive::~ZipArchive() {
  for (struct zip* archive : idle_) zip_discard(archive);
}

absl::Status ZipArchive::ReadContents(struct zip* archive) {
  folders_[""];
  const zip_int64_t count = zip_get_num_entries(archive, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t stat;
    if (zip_stat_index(archive, i, 0, &stat) != 0) {
      return absl::DataLossError(absl::StrCat(
          "entry ", i, " of ", path_, " is damaged: ", zip_strerror(archive)));
    }
    std::string name = stat.name;
    const bool is_folder = !name.empty() && name.back() == '/';
    if (is_folder) {
      name.pop_back();
      folders_[name];
    } else {
      files_[name] = {stat.index, stat.size, stat.comp_size, stat.comp_method,
                      stat.crc};
    }
    // It, and every folder above, in the one that holds it.
    while (!name.empty()) {
      const size_t slash = name.rfind('/');
      const std::string above =
          slash == std::string::npos ? "" : name.substr(0, slash);
      folders_[above].push_back(
          slash == std::string::npos ? name : name.substr(slash + 1));
      name = above;
    }
  }
  for (auto& [folder, names] : folders_) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
  }
  return absl::OkStatus();
}

bool ZipArchive::HasFile(absl::string_view name) const {
  return files_.count(std::string(name)) > 0;
}

bool ZipArchive::HasFolder(absl::string_view name) const {
  return folders_.count(std::string(absl::StripSuffix(name, "/"))) > 0;
}

absl::StatusOr<std::vector<std::string>> ZipArchive::List(
    absl::string_view folder) const {
  const auto found = folders_.find(std::string(absl::StripSuffix(folder, "/")));
  if (found != folders_.end()) return found->second;
  return absl::NotFoundError(
      absl::StrCat("there is no folder ", folder, " in ", path_));
}

absl::StatusOr<const ZipArchive::Entry*> ZipArchive::Find(
    absl::string_view name) const {
  const auto found = files_.find(std::string(name));
  if (found != files_.end()) return &found->second;
  return absl::NotFoundError(
      absl::StrCat("there is no file ", name, " in ", path_));
}

absl::StatusOr<std::string> ZipArchive::Read(absl::string_view name) const {
  M2F_ASSIGN_OR_RETURN(const Entry* entry, Find(name));
  M2F_ASSIGN_OR_RETURN(const std::unique_ptr<Reader> reader,
                       Reader::Take(*this));
  const bool deflated = entry->method == ZIP_CM_DEFLATE;
  absl::StatusOr<std::string> bytes =
      ReadBytes(reader->get(), entry->index,
                deflated ? entry->stored_size : entry->size, deflated);
  if (bytes.ok() && deflated) bytes = Inflate(*bytes, entry->size);
  if (bytes.ok() &&
      libdeflate_crc32(0, bytes->data(), bytes->size()) != entry->crc) {
    bytes = absl::DataLossError("its checksum is wrong");
  }
  if (bytes.ok()) return bytes;
  return absl::Status(
      bytes.status().code(),
      absl::StrCat(name, " in ", path_, " cannot be read: ",
                   bytes.status().message(), "; download the archive again"));
}

absl::StatusOr<std::string> ZipArchive::ReadStart(absl::string_view name,
                                                  size_t count) const {
  M2F_ASSIGN_OR_RETURN(const Entry* entry, Find(name));
  M2F_ASSIGN_OR_RETURN(const std::unique_ptr<Reader> reader,
                       Reader::Take(*this));
  const absl::StatusOr<std::string> bytes =
      ReadBytes(reader->get(), entry->index,
                std::min<uint64_t>(count, entry->size), /*as_stored=*/false);
  if (bytes.ok()) return bytes;
  return WithPrefix(absl::StrCat(name, " in ", path_, " cannot be read: "),
                    bytes.status());
}

}  // namespace mask2former
