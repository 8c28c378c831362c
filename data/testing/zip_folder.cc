#include "mask2former/data/testing/zip_folder.h"

#include <zip.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"

namespace mask2former {

absl::Status ZipFolder(const std::string& root, const std::string& name,
                       const std::string& path) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           absl::StrCat(root, "/", name))) {
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  int code = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (archive == nullptr) {
    return absl::InternalError(absl::StrCat("cannot write ", path));
  }
  for (size_t i = 0; i < files.size(); ++i) {
    zip_source_t* source = zip_source_file(archive, files[i].c_str(), 0, -1);
    const std::string inside = files[i].substr(root.size() + 1);
    const zip_int64_t index =
        zip_file_add(archive, inside.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0 || zip_set_file_compression(
                         archive, index,
                         i % 2 == 0 ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0) != 0) {
      const std::string reason = zip_strerror(archive);
      zip_discard(archive);
      return absl::InternalError(reason);
    }
  }
  if (zip_close(archive) == 0) return absl::OkStatus();
  const std::string reason = zip_strerror(archive);
  zip_discard(archive);
  return absl::InternalError(reason);
}

}  // namespace mask2former
