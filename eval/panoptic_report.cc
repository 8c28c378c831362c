#include "mask2former/eval/panoptic_report.h"

#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "mask2former/eval/text_color.h"

namespace mask2former {
namespace {

std::string Line(absl::string_view name, const PanopticQuality& quality) {
  return absl::StrFormat(
      "%-14s| %s  %s  %s", name, NumberText(100 * quality.pq, 5, 1),
      NumberText(100 * quality.sq, 5, 1), NumberText(100 * quality.rq, 5, 1));
}

std::string GroupLine(absl::string_view name,
                      const PanopticScores::Group& group) {
  return absl::StrFormat("%s %5d\n", Line(name, group.mean), group.categories);
}

std::string GroupJson(const PanopticScores::Group& group, JsonNan nan) {
  return JsonDictionary(
      std::map<std::string, std::string>{
          {"n", absl::StrCat(group.categories)},
          {"pq", JsonNumber(group.mean.pq, nan)},
          {"rq", JsonNumber(group.mean.rq, nan)},
          {"sq", JsonNumber(group.mean.sq, nan)}},
      "    ");
}

// The official program gives an integer where a category has no hit.
std::string CategoryJson(const PanopticScores::Category& category) {
  const bool occurs = category.true_positives + category.false_positives +
                          category.false_negatives >
                      0;
  return JsonDictionary(
      std::map<std::string, std::string>{
          {"pq", JsonNumber(category.quality.pq)},
          {"rq", JsonNumber(category.quality.rq)},
          {"sq", occurs && category.true_positives == 0
                     ? "0"
                     : JsonNumber(category.quality.sq)}},
      "        ");
}

}  // namespace

std::string PanopticTable(const PanopticScores& scores) {
  std::string table =
      absl::StrFormat("%-14s| %5s  %5s  %5s\n", "Category", "PQ", "SQ", "RQ");
  for (const PanopticScores::Category& category : scores.categories) {
    absl::StrAppend(&table, Line(category.category.name, category.quality),
                    "\n");
  }
  absl::StrAppend(
      &table, std::string(41, '-'), "\n",
      absl::StrFormat("%-14s| %5s  %5s  %5s %5s\n", "", "PQ", "SQ", "RQ", "N"),
      GroupLine("All", scores.all), GroupLine("Things", scores.things),
      GroupLine("Stuff", scores.stuff));
  return table;
}

std::string PanopticJson(const PanopticScores& scores, JsonNan nan) {
  return JsonDictionary(PanopticJsonEntries(scores, nan), "");
}

std::map<std::string, std::string> PanopticJsonEntries(
    const PanopticScores& scores, JsonNan nan) {
  std::vector<JsonEntry> categories;
  for (const PanopticScores::Category& category : scores.categories) {
    categories.push_back(
        {absl::StrCat(category.category.id), CategoryJson(category)});
  }
  // Not a map, which would sort categories as text.
  return {{"All", GroupJson(scores.all, nan)},
          {"Stuff", GroupJson(scores.stuff, nan)},
          {"Things", GroupJson(scores.things, nan)},
          {"per_class", JsonDictionary(categories, "    ")}};
}

}  // namespace mask2former
