#include "mask2former/eval/instance_report.h"

#include <limits>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/instance_overlaps.h"

namespace mask2former {
namespace {

constexpr int kWidth = 50;

absl::string_view NameOf(int class_index) {
  return CityscapesLabels()[kInstanceLabelIds[class_index]].name;
}

std::string Line(absl::string_view name, double ap, double ap50,
                 TextColor color) {
  return absl::StrFormat("%-15s:%s%s%s%s%s\n", name, ScoreEscape(ap, color),
                         NumberText(ap, 15, 3), ScoreEscape(ap50, color),
                         NumberText(ap50, 15, 3),
                         color == TextColor::kOn ? kPlainText : "");
}

}  // namespace

std::string InstanceTable(const InstanceScores& scores, TextColor color) {
  const std::string rule = std::string(kWidth, '#') + "\n";
  const bool colored = color == TextColor::kOn;
  std::string table =
      absl::StrCat("\n", rule, colored ? kBoldText : "",
                   absl::StrFormat("%-15s:%15s%15s", "what", "AP", "AP_50%"),
                   colored ? kPlainText : "", "\n", rule);
  for (int c = 0; c < kInstanceClasses; ++c) {
    absl::StrAppend(&table, Line(NameOf(c), scores.class_ap[c],
                                 scores.class_ap50[c], color));
  }
  return absl::StrCat(table, std::string(kWidth, '-'), "\n",
                      Line("average", scores.mean_ap, scores.mean_ap50, color),
                      "\n");
}

std::string InstanceJson(const InstanceScores& scores, JsonNan nan) {
  return JsonDictionary(InstanceJsonEntries(scores, nan), "");
}

std::map<std::string, std::string> InstanceJsonEntries(
    const InstanceScores& scores, JsonNan nan) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  using Entries = std::map<std::string, std::string>;
  const auto number = [nan](double value) { return JsonNumber(value, nan); };
  Entries classes;
  std::vector<std::string> names, overlaps, matrix;
  for (int c = 0; c < kInstanceClasses; ++c) {
    classes[std::string(NameOf(c))] =
        JsonDictionary(Entries{{"ap", number(scores.class_ap[c])},
                               {"ap50%", number(scores.class_ap50[c])}},
                       "            ");
    names.push_back(JsonString(NameOf(c)));
    std::vector<std::string> row;
    for (const double ap : scores.ap[c]) row.push_back(number(ap));
    matrix.push_back(JsonList(row, "            "));
  }
  for (const double overlap : ApThresholds()) {
    overlaps.push_back(number(overlap));
  }
  return {
      {"averages",
       JsonDictionary(Entries{{"allAp", number(scores.mean_ap)},
                              {"allAp50%", number(scores.mean_ap50)},
                              {"classes", JsonDictionary(classes, "        ")}},
                      "    ")},
      {"distanceThresholds",
       JsonList({number(kInfinity), number(100), number(50)}, "    ")},
      {"instLabels", JsonList(names, "    ")},
      {"minRegionSizes", JsonList({"100", "1000", "1000"}, "    ")},
      {"minStereoDensities",
       JsonList({number(-kInfinity), number(0.5), number(0.5)}, "    ")},
      {"overlaps", JsonList(overlaps, "    ")},
      {"resultApMatrix", JsonList({JsonList(matrix, "        ")}, "    ")},
  };
}

}  // namespace mask2former
