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
#include "mask2former/common/problem_list.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

constexpr absl::string_view kLabels = "_gtFine_labelIds.png";
constexpr absl::string_view kInstances = "_gtFine_instanceIds.png";

// What the searches look for.
struct Patterns {
  absl::string_view truth;       // End of the ground truth's names.
  absl::string_view prediction;  // And of the predictions'.
  absl::string_view kind;        // What such a file is called in messages.
  absl::string_view format;
};

Patterns PatternsOf(PredictionKind kind) {
  if (kind == PredictionKind::kInstances) {
    return {
        kInstances, ".txt", "text",
        "predictions are a text file per image, with a line \"<mask> <label "
        "id> <score>\" for each instance"};
  }
  return {kLabels, ".png", "PNG", "predictions are 8-bit PNGs of label ids"};
}

// A file below a folder.
struct FoundFile {
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

absl::Status CollectFiles(const std::string& folder, absl::string_view ending,
                          std::vector<FoundFile>& files) {
  M2F_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                       ListDirectory(folder));
  for (const std::string& name : names) {
    const std::string path = Join(folder, name);
    if (!DirectoryExists(path)) {
      if (absl::EndsWith(name, ending)) files.push_back({name, path});
    } else if (!IsLink(path)) {
      M2F_RETURN_IF_ERROR(CollectFiles(path, ending, files));
    }
  }
  return absl::OkStatus();
}

// The images of all cities below `root`.
absl::StatusOr<std::vector<PredictionFiles>> FindGroundTruth(
    const std::string& root, absl::string_view ending) {
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
      if (IsHidden(name) || !absl::ConsumeSuffix(&stem, ending)) continue;
      PredictionFiles image;
      image.name = std::string(stem);
      if (ending == kLabels) image.labels = Join(folder, name);
      image.instances = Join(folder, absl::StrCat(stem, kInstances));
      images.push_back(std::move(image));
    }
  }
  return images;
}

absl::Status NoGroundTruth(const std::string& root, absl::string_view ending) {
  std::string message =
      absl::StrCat("there is no ground truth in \"", root, "\": no file ",
                   Join(root, absl::StrCat("*/*", ending)));
  for (const char* const split : {"gtFine/val", "val"}) {
    const absl::StatusOr<std::vector<PredictionFiles>> there =
        FindGroundTruth(Join(root, split), ending);
    if (there.ok() && !there->empty()) {
      absl::StrAppend(&message, "; did you mean \"", Join(root, split), "\"?");
      return absl::NotFoundError(message);
    }
  }
  const absl::StatusOr<std::vector<std::string>> names = ListDirectory(root);
  if (names.ok() &&
      std::any_of(names->begin(), names->end(), [&](const std::string& name) {
        return absl::EndsWith(name, ending);
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

bool ByName(const FoundFile& a, const FoundFile& b) {
  return std::pair(absl::string_view(a.name), absl::string_view(a.path)) <
         std::pair(absl::string_view(b.name), absl::string_view(b.path));
}

// The files, sorted by name, whose names start with `prefix`.
std::vector<std::string> PathsWithPrefix(const std::vector<FoundFile>& files,
                                         const std::string& prefix) {
  std::vector<std::string> paths;
  for (auto it = std::lower_bound(files.begin(), files.end(),
                                  FoundFile{prefix, ""}, ByName);
       it != files.end() && absl::StartsWith(it->name, prefix); ++it) {
    paths.push_back(it->path);
  }
  return paths;
}

}  // namespace

absl::StatusOr<std::vector<PredictionFiles>> FindPredictions(
    const std::string& ground_truth, const std::string& predictions,
    PredictionKind kind) {
  const Patterns patterns = PatternsOf(kind);
  M2F_ASSIGN_OR_RETURN(std::vector<PredictionFiles> images,
                       FindGroundTruth(ground_truth, patterns.truth));
  if (images.empty()) return NoGroundTruth(ground_truth, patterns.truth);
  std::vector<FoundFile> files;
  M2F_RETURN_IF_ERROR(CollectFiles(predictions, patterns.prediction, files));
  if (files.empty()) {
    return absl::NotFoundError(
        absl::StrCat("there is no ", patterns.kind, " file in \"", predictions,
                     "\" or below; ", patterns.format, ", named like ",
                     images[0].name, "*", patterns.prediction));
  }
  std::sort(files.begin(), files.end(), ByName);

  std::vector<std::string> problems;
  size_t missing = 0;
  for (PredictionFiles& image : images) {
    const std::string& truth =
        kind == PredictionKind::kLabels ? image.labels : image.instances;
    const std::vector<std::string> found = PathsWithPrefix(files, image.name);
    if (found.size() == 1) {
      image.prediction = found[0];
    } else if (found.empty()) {
      ++missing;
      problems.push_back(absl::StrCat(truth, " has no prediction: no file ",
                                      image.name, "*", patterns.prediction));
    } else {
      problems.push_back(absl::StrCat(
          truth, " has ", found.size(),
          " predictions, leave one: ", absl::StrJoin(found, ", ")));
    }
    if (!FileExists(image.instances)) {
      problems.push_back(absl::StrCat(image.labels, " has no instance image ",
                                      image.instances));
    }
  }
  if (missing == images.size()) {
    return absl::NotFoundError(absl::StrCat(
        "none of the ", files.size(), " ", patterns.kind, " files in \"",
        predictions, "\" is named like an image of \"", ground_truth,
        "\": wanted ", images[0].name, "*", patterns.prediction,
        ", found for instance ", files[0].path));
  }
  M2F_RETURN_IF_ERROR(ListProblems(
      absl::StrCat(problems.size(), " problems with the files in \"",
                   predictions, "\" (", images.size() - missing, " of ",
                   images.size(), " images have predictions)"),
      problems));
  return images;
}

absl::StatusOr<std::vector<PredictionFiles>> FindInstanceImages(
    const std::string& ground_truth) {
  M2F_ASSIGN_OR_RETURN(std::vector<PredictionFiles> images,
                       FindGroundTruth(ground_truth, kInstances));
  if (images.empty()) return NoGroundTruth(ground_truth, kInstances);
  return images;
}

}  // namespace mask2former
