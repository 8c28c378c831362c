#include "mask2former/eval/prediction_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/eval/problem_list.h"

namespace mask2former {
namespace {

constexpr absl::string_view kLabels = "_gtFine_labelIds.png";
constexpr absl::string_view kInstances = "_gtFine_instanceIds.png";

// All files below a folder whose names end in ".png".
struct PngFile {
  std::string name;
  std::string path;
};

std::string Join(const std::string& folder, const std::string& name) {
  return absl::EndsWith(folder, "/") ? folder + name
                                     : absl::StrCat(folder, "/", name);
}

bool IsHidden(const std::string& name) { return absl::StartsWith(name, "."); }

bool IsLink(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_symlink(path, ignored);
}

absl::Status CollectPngs(const std::string& folder,
                         std::vector<PngFile>& files) {
  M2F_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                       ListDirectory(folder));
  for (const std::string& name : names) {
    const std::string path = Join(folder, name);
    if (!DirectoryExists(path)) {
      if (absl::EndsWith(name, ".png")) files.push_back({name, path});
    } else if (!IsLink(path)) {
      M2F_RETURN_IF_ERROR(CollectPngs(path, files));
    }
  }
  return absl::OkStatus();
}

// The label images of all cities below `root`.
absl::StatusOr<std::vector<PredictionFiles>> FindGroundTruth(
    const std::string& root) {
  std::vector<PredictionFiles> images;
  M2F_ASSIGN_OR_RETURN(const std::vector<std::string> cities,
                       ListDirectory(root));
  for (const std::string& city : cities) {
    const std::string folder = Join(root, city);
    if (IsHidden(city) || !DirectoryExists(folder)) continue;
    M2F_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                         ListDirectory(folder));
    for (const std::string& name : names) {
      absl::string_view stem = name;
      if (IsHidden(name) || !absl::ConsumeSuffix(&stem, kLabels)) continue;
      PredictionFiles image;
      image.name = std::string(stem);
      image.labels = Join(folder, name);
      image.instances = Join(folder, absl::StrCat(stem, kInstances));
      images.push_back(std::move(image));
    }
  }
  return images;
}

absl::Status NoGroundTruth(const std::string& root) {
  std::string message =
      absl::StrCat("there is no ground truth in \"", root, "\": no file ",
                   Join(root, absl::StrCat("*/*", kLabels)));
  for (const char* const split : {"gtFine/val", "val"}) {
    const absl::StatusOr<std::vector<PredictionFiles>> there =
        FindGroundTruth(Join(root, split));
    if (there.ok() && !there->empty()) {
      absl::StrAppend(&message, "; did you mean \"", Join(root, split), "\"?");
      return absl::NotFoundError(message);
    }
  }
  const absl::StatusOr<std::vector<std::string>> names = ListDirectory(root);
  if (names.ok() &&
      std::any_of(names->begin(), names->end(), [](const std::string& name) {
        return absl::EndsWith(name, kLabels);
      })) {
    absl::StrAppend(&message,
                    "; name the folder above, with a folder for each city");
  } else {
    absl::StrAppend(&message,
                    "; name the folder of a split, such as "
                    "/data/cityscapes/gtFine/val");
  }
  return absl::NotFoundError(message);
}

bool ByName(const PngFile& a, const PngFile& b) {
  return std::pair(absl::string_view(a.name), absl::string_view(a.path)) <
         std::pair(absl::string_view(b.name), absl::string_view(b.path));
}

// The files, sorted by name, whose names start with `prefix`.
std::vector<std::string> PathsWithPrefix(const std::vector<PngFile>& files,
                                         const std::string& prefix) {
  std::vector<std::string> paths;
  for (auto it = std::lower_bound(files.begin(), files.end(),
                                  PngFile{prefix, ""}, ByName);
       it != files.end() && absl::StartsWith(it->name, prefix); ++it) {
    paths.push_back(it->path);
  }
  return paths;
}

}  // namespace

absl::StatusOr<std::vector<PredictionFiles>> FindPredictions(
    const std::string& ground_truth, const std::string& predictions) {
  M2F_ASSIGN_OR_RETURN(std::vector<PredictionFiles> images,
                       FindGroundTruth(ground_truth));
  if (images.empty()) return NoGroundTruth(ground_truth);
  std::vector<PngFile> files;
  M2F_RETURN_IF_ERROR(CollectPngs(predictions, files));
  if (files.empty()) {
    return absl::NotFoundError(
        absl::StrCat("there is no PNG file in \"", predictions,
                     "\" or below; predictions "
                     "are 8-bit PNGs of label ids, named like ",
                     images[0].name, "*.png"));
  }
  std::sort(files.begin(), files.end(), ByName);

  std::vector<std::string> problems;
  size_t missing = 0;
  for (PredictionFiles& image : images) {
    const std::vector<std::string> found = PathsWithPrefix(files, image.name);
    if (found.size() == 1) {
      image.prediction = found[0];
    } else if (found.empty()) {
      ++missing;
      problems.push_back(absl::StrCat(
          image.labels, " has no prediction: no file ", image.name, "*.png"));
    } else {
      problems.push_back(absl::StrCat(
          image.labels, " has ", found.size(),
          " predictions, leave one: ", absl::StrJoin(found, ", ")));
    }
    if (!FileExists(image.instances)) {
      problems.push_back(absl::StrCat(image.labels, " has no instance image ",
                                      image.instances));
    }
  }
  if (missing == images.size()) {
    return absl::NotFoundError(absl::StrCat(
        "none of the ", files.size(), " PNG files in \"", predictions,
        "\" is named like an image of \"", ground_truth, "\": wanted ",
        images[0].name, "*.png, found for instance ", files[0].path));
  }
  M2F_RETURN_IF_ERROR(ProblemsToStatus(
      absl::StrCat(problems.size(), " problems with the files in \"",
                   predictions, "\" (", images.size() - missing, " of ",
                   images.size(), " images have predictions)"),
      problems));
  return images;
}

}  // namespace mask2former
