// The report of a data set as text and as JSON.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "mask2former/data/dataset_report.h"

namespace mask2former {
namespace {

using nlohmann::json;

constexpr size_t kShownProblems = 10;

double Percent(int64_t part, int64_t whole) {
  return whole == 0
             ? 0.0
             : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string Kinds(const std::map<std::string, int64_t>& kinds) {
  return absl::StrJoin(kinds, "; ", [](std::string* out, const auto& kind) {
    absl::StrAppend(out, kind.second, " of ", kind.first);
  });
}

std::string ClassLine(const ClassReport& c, const SplitReport& split) {
  std::string line =
      absl::StrFormat("    %-20s %8.4f %% of pixels, in %d pictures", c.name,
                      Percent(c.pixels, split.pixels), c.pictures);
  if (c.instances > 0 || c.groups > 0) {
    absl::StrAppendFormat(&line, ", %d things, %d groups", c.instances,
                          c.groups);
  }
  return line + "\n";
}

std::string SplitText(const SplitReport& split) {
  std::string text = absl::StrFormat(
      "split %s: %d pictures%s, %d with labels, %d looked at\n", split.name,
      split.pictures,
      split.expected == -1 ? ""
                           : absl::StrCat(" (official: ", split.expected, ")"),
      split.labels, split.looked_at);
  if (split.looked_at > 0) {
    absl::StrAppend(&text, "  pictures: ", Kinds(split.image_kinds),
                    "\n  labels: ", Kinds(split.label_kinds), "\n");
    absl::StrAppendFormat(
        &text, "  one core decodes a picture in %.1f ms, a label in %.1f ms\n",
        1e3 * split.image_seconds, 1e3 * split.label_seconds);
  }
  if (split.pixels > 0) {
    absl::StrAppendFormat(&text, "  classes (%.2f %% of pixels are ignored):\n",
                          Percent(split.ignored_pixels, split.pixels));
    for (const ClassReport& c : split.classes) text += ClassLine(c, split);
  }
  for (const std::string& note : split.notes) {
    absl::StrAppend(&text, "  note: ", note, "\n");
  }
  for (size_t i = 0; i < std::min(split.problems.size(), kShownProblems); ++i) {
    absl::StrAppend(&text, "  PROBLEM: ", split.problems[i], "\n");
  }
  if (split.problems.size() > kShownProblems) {
    absl::StrAppend(&text, "  and ", split.problems.size() - kShownProblems,
                    " more problems\n");
  }
  return text;
}

json SplitJson(const SplitReport& split) {
  json classes = json::array();
  for (const ClassReport& c : split.classes) {
    classes.push_back({{"name", c.name},
                       {"pixels", c.pixels},
                       {"pictures", c.pictures},
                       {"instances", c.instances},
                       {"groups", c.groups}});
  }
  json result = {{"name", split.name},
                 {"pictures", split.pictures},
                 {"labels", split.labels},
                 {"looked_at", split.looked_at},
                 {"problems", split.problems},
                 {"notes", split.notes},
                 {"image_kinds", split.image_kinds},
                 {"label_kinds", split.label_kinds},
                 {"classes", std::move(classes)},
                 {"pixels", split.pixels},
                 {"ignored_pixels", split.ignored_pixels},
                 {"image_seconds", split.image_seconds},
                 {"label_seconds", split.label_seconds}};
  if (split.expected != -1) result["expected"] = split.expected;
  return result;
}

}  // namespace

bool DatasetReport::has_problems() const {
  return std::any_of(
      splits.begin(), splits.end(),
      [](const SplitReport& split) { return !split.problems.empty(); });
}

std::string DatasetReport::ToText() const {
  std::string text = absl::StrCat("data set ", root, "\n");
  size_t problems = 0;
  for (const SplitReport& split : splits) {
    text += SplitText(split);
    problems += split.problems.size();
  }
  absl::StrAppend(&text, problems == 0 ? "no problems\n"
                                       : absl::StrCat(problems, " problems\n"));
  return text;
}

std::string DatasetReport::ToJson() const {
  json result = {
      {"root", root}, {"ok", !has_problems()}, {"splits", json::array()}};
  for (const SplitReport& split : splits) {
    result["splits"].push_back(SplitJson(split));
  }
  return result.dump(/*indent=*/2, ' ', /*ensure_ascii=*/false,
                     json::error_handler_t::replace) +
         "\n";
}

}  // namespace mask2former
