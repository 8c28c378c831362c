#include "mask2former/model/weights/weights_report.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace mask2former {
namespace {

void AppendNames(const char* what, const std::vector<std::string>& names,
                 size_t limit, std::string& text) {
  if (names.empty()) return;
  absl::StrAppend(&text, "\n  ", what, ":");
  for (size_t i = 0; i < std::min(limit, names.size()); ++i) {
    absl::StrAppend(&text, "\n    ", names[i]);
  }
  if (names.size() > limit) {
    absl::StrAppend(&text, "\n    and ", names.size() - limit, " more");
  }
}

struct Row {
  absl::string_view outcome;
  absl::string_view name;
  absl::string_view reason;
};

}  // namespace

std::string WeightsReport::ToString(size_t limit) const {
  std::string text =
      absl::StrCat(matched.size(), " tensors matched, ", missing.size(),
                   " missing, ", unexpected.size(), " unexpected, ",
                   mismatched.size(), " of another shape");
  if (!adapted.empty()) {
    absl::StrAppend(&text, ", ", adapted.size(), " taken in part");
  }
  if (!naming.empty()) {
    absl::StrAppend(&text, " (", format, ", names: ", naming, ")");
  }
  AppendNames("missing in the file", missing, limit, text);
  AppendNames("unexpected in the file", unexpected, limit, text);
  AppendNames("of another shape", mismatched, limit, text);
  return text;
}

std::string WeightsReport::ToTable(bool with_matched) const {
  std::vector<Row> rows;
  for (const std::string& name : missing) {
    rows.push_back({"missing", name, "the model needs it, the file lacks it"});
  }
  for (const std::string& name : unexpected) {
    rows.push_back({"unexpected", name, "the model has no such entry"});
  }
  for (const std::string& line : mismatched) {
    const size_t colon = line.find(": ");
    rows.push_back({"shape differs", absl::string_view(line).substr(0, colon),
                    colon == std::string::npos
                        ? absl::string_view()
                        : absl::string_view(line).substr(colon + 2)});
  }
  for (const IgnoredEntry& entry : adapted) {
    rows.push_back({"in part", entry.name, entry.reason});
  }
  for (const IgnoredEntry& entry : explained) {
    rows.push_back({"not needed", entry.name, entry.reason});
  }
  for (const std::string& name : matched) {
    if (with_matched) rows.push_back({"matched", name, ""});
  }
  size_t width = 4;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  std::string table =
      absl::StrFormat("%-13s  %-*s  %s\n", "outcome", static_cast<int>(width),
                      "name", "reason");
  for (const Row& row : rows) {
    std::string line =
        absl::StrFormat("%-13s  %-*s  %s", row.outcome, static_cast<int>(width),
                        row.name, row.reason);
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&table, line, "\n");
  }
  return table;
}

}  // namespace mask2former
