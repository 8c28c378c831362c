#include "mask2former/tools/predict/input_files.h"

#include <glob.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

namespace fs = std::filesystem;

bool HasPictureEnding(const fs::path& path) {
  static constexpr std::array<absl::string_view, 9> kEndings = {
      ".png", ".jpg", ".jpeg", ".bmp", ".ppm",
      ".pgm", ".tif", ".tiff", ".webp"};
  const std::string ending = absl::AsciiStrToLower(path.extension().string());
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

absl::StatusOr<std::vector<InputFile>> InFolder(const std::string& folder) {
  std::vector<InputFile> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(
      folder, fs::directory_options::follow_directory_symlink, error);
  for (; !error && entry != fs::recursive_directory_iterator();
       entry.increment(error)) {
    const fs::path& path = entry->path();
    std::error_code unreadable;
    if (!HasPictureEnding(path) || !entry->is_regular_file(unreadable)) {
      continue;
    }
    files.push_back(
        {path.string(),
         path.lexically_relative(folder).replace_extension().string()});
  }
  if (error) {
    return absl::UnavailableError(absl::StrCat(folder, ": ", error.message()));
  }
  return files;
}

std::vector<InputFile> Matching(const std::string& pattern) {
  std::vector<InputFile> files;
  glob_t matches = {};
  if (glob(pattern.c_str(), 0, nullptr, &matches) == 0) {
    for (size_t i = 0; i < matches.gl_pathc; ++i) {
      const fs::path path(matches.gl_pathv[i]);
      if (fs::is_regular_file(path)) {
        files.push_back({path.string(), path.stem().string()});
      }
    }
  }
  globfree(&matches);
  return files;
}

absl::Status CheckStemsDiffer(const std::vector<InputFile>& files) {
  std::map<std::string, std::string> path_by_stem;
  for (const InputFile& file : files) {
    const auto [entry, is_new] = path_by_stem.emplace(file.stem, file.path);
    if (!is_new) {
      return absl::InvalidArgumentError(
          absl::StrCat(entry->second, " and ", file.path,
                       " would both have their results at '", file.stem,
                       "'; predict them in two calls with different --output"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<InputFile>> FindInputFiles(
    const std::string& input) {
  std::vector<InputFile> files;
  std::error_code error;
  const fs::file_status status = fs::status(input, error);
  if (fs::is_directory(status)) {
    M2F_ASSIGN_OR_RETURN(files, InFolder(input));
  } else if (fs::exists(status)) {
    files.push_back({input, fs::path(input).stem().string()});
  } else {
    files = Matching(input);
  }
  if (files.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no picture at '", input,
        fs::is_directory(status)
            ? "': a folder without .png, .jpg, .jpeg, .bmp, .ppm, .pgm, .tif, "
              ".tiff or .webp"
            : "': neither a file nor a folder nor a pattern that matches"));
  }
  std::sort(
      files.begin(), files.end(),
      [](const InputFile& a, const InputFile& b) { return a.path < b.path; });
  M2F_RETURN_IF_ERROR(CheckStemsDiffer(files));
  return files;
}

}  // namespace mask2former
