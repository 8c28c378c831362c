#include "mask2former/common/paths.h"

#include <cstdlib>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mask2former {

std::string ResolveUserPath(absl::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const char* home = std::getenv("HOME");
  if (absl::StartsWith(path, "~/") && home != nullptr && home[0] != '\0') {
    return absl::StrCat(home, path.substr(1));
  }
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (path.empty() || path[0] == '/' || folder == nullptr ||
      folder[0] == '\0') {
    return std::string(path);
  }
  return (std::filesystem::path(folder) / std::string(path))
      .lexically_normal()
      .string();
}

}  // namespace mask2former
