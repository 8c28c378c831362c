#include "mask2former/data/glob.h"

#include <algorithm>
#include <map>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "mask2former/common/problem_list.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/data_files.h"

namespace mask2former {
namespace {

constexpr size_t kShownNames = 5;

// What the stars of `pattern` stand for in `name`, the first ones as short as
// can be; nothing if it does not match.
std::optional<std::vector<std::string>> MatchName(absl::string_view pattern,
                                                  absl::string_view name) {
  const size_t star = pattern.find('*');
  if (star == absl::string_view::npos) {
    if (pattern != name) return std::nullopt;
    return std::vector<std::string>();
  }
  if (!absl::ConsumePrefix(&name, pattern.substr(0, star))) {
    return std::nullopt;
  }
  for (size_t taken = 0; taken <= name.size(); ++taken) {
    std::optional<std::vector<std::string>> rest =
        MatchName(pattern.substr(star + 1), name.substr(taken));
    if (!rest) continue;
    rest->insert(rest->begin(), std::string(name.substr(0, taken)));
    return rest;
  }
  return std::nullopt;
}

bool IsHidden(absl::string_view name, absl::string_view pattern) {
  return absl::StartsWith(name, ".") && !absl::StartsWith(pattern, ".");
}

std::string Some(std::vector<std::string> names) {
  const size_t count = names.size();
  names.resize(std::min(count, kShownNames));
  return absl::StrCat(absl::StrJoin(names, ", "),
                      count > kShownNames ? ", ..." : "");
}

// Why a pattern matches nothing: the first folder that is not as it says.
absl::Status NothingMatches(const std::string& root,
                            const std::string& pattern) {
  std::string folder = root;
  for (absl::string_view part : absl::StrSplit(pattern, '/')) {
    const auto names = ListDataFolder(folder);
    if (!names.ok()) break;
    const std::string next = absl::StrCat(folder, "/", part);
    if (absl::StrContains(part, "*") || !DataFolderExists(next)) {
      return absl::NotFoundError(
          absl::StrCat("no file matches ", root, "/", pattern, ": ", folder,
                       " holds ", names->empty() ? "nothing" : Some(*names)));
    }
    folder = next;
  }
  return absl::NotFoundError(absl::StrCat(
      "no file matches ", root, "/", pattern, ": there is no folder ", folder));
}

}  // namespace

absl::StatusOr<std::vector<GlobMatch>> Glob(const std::string& root,
                                            const std::string& pattern) {
  const std::vector<std::string> parts = absl::StrSplit(pattern, '/');
  std::vector<GlobMatch> matches = {{root, {}}};
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool is_file = i + 1 == parts.size();
    std::vector<GlobMatch> deeper;
    for (const GlobMatch& match : matches) {
      const auto names = ListDataFolder(match.path);
      if (!names.ok()) continue;
      for (const std::string& name : *names) {
        const auto stars = MatchName(parts[i], name);
        if (!stars || IsHidden(name, parts[i])) continue;
        GlobMatch next = match;
        absl::StrAppend(&next.path, "/", name);
        next.stars.insert(next.stars.end(), stars->begin(), stars->end());
        if (is_file ? DataFileExists(next.path) : DataFolderExists(next.path)) {
          deeper.push_back(std::move(next));
        }
      }
    }
    matches = std::move(deeper);
  }
  if (matches.empty()) return NothingMatches(root, pattern);
  std::sort(
      matches.begin(), matches.end(),
      [](const GlobMatch& a, const GlobMatch& b) { return a.path < b.path; });
  return matches;
}

absl::StatusOr<std::vector<std::pair<GlobMatch, GlobMatch>>> GlobPairs(
    const std::string& root, const std::string& images,
    const std::string& labels) {
  const auto stars_in = [](const std::string& pattern) {
    return std::count(pattern.begin(), pattern.end(), '*');
  };
  if (stars_in(images) != stars_in(labels)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", images, "\" and \"", labels,
        "\" must have equally many \"*\": a picture's label is the file for "
        "which each stands for the same text"));
  }
  M2F_ASSIGN_OR_RETURN(const std::vector<GlobMatch> pictures,
                       Glob(root, images));
  M2F_ASSIGN_OR_RETURN(const std::vector<GlobMatch> found, Glob(root, labels));
  std::map<std::vector<std::string>, const GlobMatch*> by_stars;
  for (const GlobMatch& label : found) by_stars[label.stars] = &label;
  std::vector<std::pair<GlobMatch, GlobMatch>> pairs;
  std::vector<std::string> problems;
  for (const GlobMatch& picture : pictures) {
    const auto label = by_stars.find(picture.stars);
    if (label != by_stars.end()) {
      pairs.emplace_back(picture, *label->second);
      continue;
    }
    std::string wanted = absl::StrCat(root, "/", labels);
    for (const std::string& star : picture.stars) {
      wanted.replace(wanted.find('*', root.size()), 1, star);
    }
    problems.push_back(
        absl::StrCat(wanted, " is missing, the label of ", picture.path));
  }
  M2F_RETURN_IF_ERROR(
      ListProblemsOf(absl::StrCat("data set ", root, ", ", images), problems));
  return pairs;
}

}  // namespace mask2former
