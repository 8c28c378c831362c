#include "mask2former/eval/path_inside.h"

#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace mask2former {
namespace {

std::string Normalized(const std::filesystem::path& path) {
  std::string text =
      std::filesystem::absolute(path).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

bool IsBelow(absl::string_view path, absl::string_view folder) {
  if (folder == "/") return path.size() > 1;
  return absl::ConsumePrefix(&path, folder) && !path.empty() && path[0] == '/';
}

}  // namespace

absl::StatusOr<std::string> PathInside(absl::string_view name,
                                       absl::string_view folder,
                                       absl::string_view root,
                                       absl::string_view kind) {
  if (name.empty() || name[0] == '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("names ", kind, " \"", name,
                     "\"; want a path relative to the folder ", folder));
  }
  std::string path = Normalized(std::filesystem::path(std::string(folder)) /
                                std::string(name));
  if (!IsBelow(path, Normalized(std::string(root)))) {
    return absl::InvalidArgumentError(
        absl::StrCat("names ", kind, " \"", name, "\", which is ", path,
                     ", outside of the folder ", root));
  }
  return path;
}

}  // namespace mask2former
