#include "mask2former/eval/instance_predictions.h"

#include <cmath>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/path_inside.h"

namespace mask2former {
namespace {

absl::StatusOr<InstanceLine> ParseLine(absl::string_view line,
                                       const std::string& path,
                                       const std::string& root) {
  const std::vector<std::string> fields = absl::StrSplit(line, ' ');
  if (fields.size() != 3) {
    return absl::InvalidArgumentError(absl::StrCat(
        "has ", fields.size(),
        " fields; want three with one blank between them: the path of the "
        "mask, without blanks, the label id, and the score"));
  }
  InstanceLine result;
  M2F_ASSIGN_OR_RETURN(
      result.mask,
      PathInside(fields[0], std::filesystem::path(path).parent_path().string(),
                 root, "the mask"));
  double label_id = 0;
  if (!absl::SimpleAtod(fields[1], &label_id) || !(label_id > -2) ||
      !(label_id < kCityscapesLabelIds)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "has the label id \"", fields[1],
        "\"; label ids are 0..33, of which 24..28 and 31..33 are scored"));
  }
  result.label_id = static_cast<int>(label_id);
  if (!absl::SimpleAtod(fields[2], &result.score) ||
      !std::isfinite(result.score)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "has the score \"", fields[2], "\"; want a finite number"));
  }
  return result;
}

}  // namespace

absl::StatusOr<std::vector<InstanceLine>> ReadInstancePredictions(
    const std::string& path, const std::string& root) {
  M2F_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (lines.back().empty()) lines.pop_back();
  std::vector<InstanceLine> instances;
  std::map<std::string, size_t> place_of_mask;
  for (size_t i = 0; i < lines.size(); ++i) {
    // Lines may end as on Windows.
    absl::StripTrailingAsciiWhitespace(&lines[i]);
    absl::StatusOr<InstanceLine> line = ParseLine(lines[i], path, root);
    if (!line.ok()) {
      return WithPrefix(absl::StrCat(path, ", line ", i + 1, ", "),
                        line.status());
    }
    const auto [place, is_new] =
        place_of_mask.emplace(line->mask, instances.size());
    if (is_new) {
      instances.push_back(*std::move(line));
    } else {
      instances[place->second] = *std::move(line);
    }
  }
  return instances;
}

}  // namespace mask2former
