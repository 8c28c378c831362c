// The report of a data set as text and as JSON.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
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

// Values of labels that are no class, where they occur.
std::string ValueLines(const SplitReport& split) {
  std::string lines;
  for (const auto& [value, report] : split.values) {
    const bool is_class = std::any_of(
        split.classes.begin(), split.classes.end(),
        [&name = report.name](const ClassReport& c) { return c.name == name; });
    if (is_class || report.pixels == 0) continue;
    const bool is_outside = !report.first_file.empty();
    absl::StrAppendFormat(
        &lines, "    %-20s %8.4f %% of pixels, in %d pictures, %s\n",
        absl::StrCat(report.name, " (", value, ")"),
        Percent(report.pixels, split.pixels), report.pictures,
        is_outside ? absl::StrCat("the first is ", report.first_file)
                   : "ignored");
  }
  return lines;
}

// What the split lacks; nothing if it is whole.
std::string MissingLine(const SplitReport& split) {
  std::vector<std::string> parts;
  const auto add = [&parts](int64_t count, absl::string_view what) {
    if (count > 0) parts.push_back(absl::StrCat(count, " ", what));
  };
  add(split.expected - split.pictures, "pictures of the official split");
  add(split.pictures - split.labels, "labels of pictures");
  add(split.labels_without_picture, "pictures of labels");
  if (parts.empty()) return "";
  return absl::StrCat("  missing: ", absl::StrJoin(parts, ", "), "\n");
}

json MissingJson(const SplitReport& split) {
  json missing = {{"labels", split.pictures - split.labels},
                  {"pictures", split.labels_without_picture}};
  if (split.expected != -1) {
    missing["expected"] = std::max<int64_t>(split.expected - split.pictures, 0);
  }
  return missing;
}

json ValuesJson(const SplitReport& split) {
  json values = json::array();
  for (const auto& [value, report] : split.values) {
    values.push_back({{"value", value},
                      {"name", report.name},
                      {"pixels", report.pixels},
                      {"pictures", report.pictures}});
    if (!report.first_file.empty()) {
      values.back()["first_file"] = report.first_file;
    }
  }
  return values;
}

std::string SplitText(const SplitReport& split) {
  std::string text = absl::StrFormat(
      "split %s: %d pictures%s, %d with labels, %d looked at\n", split.name,
      split.pictures,
      split.expected == -1 ? ""
                           : absl::StrCat(" (official: ", split.expected, ")"),
      split.labels, split.looked_at);
  text += MissingLine(split);
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
    text += ValueLines(split);
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
                 {"missing", MissingJson(split)},
                 {"looked_at", split.looked_at},
                 {"labels_decoded", split.labels_decoded},
                 {"problems", split.problems},
                 {"notes", split.notes},
                 {"image_kinds", split.image_kinds},
                 {"label_kinds", split.label_kinds},
                 {"classes", std::move(classes)},
                 {"values", ValuesJson(split)},
                 {"pixels", split.pixels},
                 {"ignored_pixels", split.ignored_pixels},
                 {"image_seconds", split.image_seconds},
                 {"label_seconds", split.label_seconds}};
  if (split.expected != -1) result["expected"] = split.expected;
  return result;
}

}  // namespace

bool DatasetReport::has_problems() const {
  return !problems.empty() || std::any_of(splits.begin(), splits.end(),
                                          [](const SplitReport& split) {
                                            return !split.problems.empty();
                                          });
}

std::string DatasetReport::ToText() const {
  std::string text = absl::StrCat("data set ", root, "\n");
  size_t count = problems.size();
  for (const SplitReport& split : splits) {
    text += SplitText(split);
    count += split.problems.size();
  }
  for (const std::string& note : notes) {
    absl::StrAppend(&text, "note: ", note, "\n");
  }
  for (const std::string& problem : problems) {
    absl::StrAppend(&text, "PROBLEM: ", problem, "\n");
  }
  absl::StrAppend(
      &text, count == 0 ? "no problems\n" : absl::StrCat(count, " problems\n"));
  return text;
}

std::string DatasetReport::ToJson() const {
  json result = {{"root", root},
                 {"ok", !has_problems()},
                 {"problems", problems},
                 {"notes", notes},
                 {"splits", json::array()}};
  for (const SplitReport& split : splits) {
    result["splits"].push_back(SplitJson(split));
  }
  return result.dump(/*indent=*/2, ' ', /*ensure_ascii=*/false,
                     json::error_handler_t::replace) +
         "\n";
}

}  // namespace mask2former
