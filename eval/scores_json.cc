#include "mask2former/eval/scores_json.h"

#include <array>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {
namespace {

template <typename Value>
std::string ByLabel(Value value) {
  std::map<std::string, std::string> entries;
  for (int id = 0; id < kCityscapesLabelIds; ++id) {
    entries[std::string(CityscapesLabels()[id].name)] = value(id);
  }
  return JsonDictionary(entries, "    ");
}

std::string ByCategory(const std::array<double, kCityscapesCategories>& scores,
                       JsonNan nan) {
  std::map<std::string, std::string> entries;
  for (const CityscapesLabel& label : CityscapesLabels()) {
    entries[std::string(label.category)] =
        JsonNumber(scores[label.category_id], nan);
  }
  return JsonDictionary(entries, "    ");
}

std::string Matrix(const ConfusionMatrix& confusion) {
  std::vector<std::string> rows;
  for (int g = 0; g < ConfusionMatrix::kIds; ++g) {
    std::vector<std::string> row;
    for (int p = 0; p < ConfusionMatrix::kIds; ++p) {
      row.push_back(absl::StrCat(confusion.count(g, p)));
    }
    rows.push_back(JsonList(row, "        "));
  }
  return JsonList(rows, "    ");
}

}  // namespace

std::string OfficialJson(const CityscapesMetrics& metrics, JsonNan nan) {
  return JsonDictionary(OfficialJsonEntries(metrics, nan), "");
}

std::map<std::string, std::string> OfficialJsonEntries(
    const CityscapesMetrics& metrics, JsonNan nan) {
  const CityscapesScores scores = metrics.Compute();
  const ConfusionMatrix& confusion = metrics.confusion();
  const double total = static_cast<double>(confusion.Total());
  const auto number = [nan](double value) { return JsonNumber(value, nan); };
  return {
      {"averageScoreCategories", number(scores.mean_category_iou)},
      {"averageScoreClasses", number(scores.mean_class_iou)},
      {"averageScoreInstCategories", number(scores.mean_category_instance_iou)},
      {"averageScoreInstClasses", number(scores.mean_class_instance_iou)},
      {"categoryInstScores", ByCategory(scores.category_instance_iou, nan)},
      {"categoryScores", ByCategory(scores.category_iou, nan)},
      {"classInstScores",
       ByLabel([&](int id) { return number(scores.class_instance_iou[id]); })},
      {"classScores",
       ByLabel([&](int id) { return number(scores.class_iou[id]); })},
      {"confMatrix", Matrix(confusion)},
      {"labels", ByLabel([](int id) { return absl::StrCat(id); })},
      {"priors", ByLabel([&](int id) {
         return number(static_cast<double>(confusion.GroundTruthCount(id)) /
                       total);
       })},
  };
}

}  // namespace mask2former
