#include "mask2former/eval/scores_json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {
namespace {

std::string ToChars(double value, std::chars_format format) {
  std::array<char, 400> buffer;
  const std::to_chars_result result = std::to_chars(
      buffer.data(), buffer.data() + buffer.size(), value, format);
  return std::string(buffer.data(), result.ptr);
}

// As Python writes floats: exponents below 1e-4 and from 1e16 on, always with a
// point or an exponent.
std::string Number(double value, JsonNan nan) {
  if (std::isnan(value)) return nan == JsonNan::kNull ? "null" : "NaN";
  const std::string scientific = ToChars(value, std::chars_format::scientific);
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  if (value != 0 && (exponent < -4 || exponent >= 16)) return scientific;
  const std::string fixed = ToChars(value, std::chars_format::fixed);
  return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
}

// A line for each element between brackets, indented below `indent`.
std::string Block(char open, char close, const std::vector<std::string>& lines,
                  absl::string_view indent) {
  const std::string separator = absl::StrCat(",\n", indent, "    ");
  return absl::StrCat(std::string(1, open), "\n", indent, "    ",
                      absl::StrJoin(lines, separator), "\n", indent,
                      std::string(1, close));
}

// Values are JSON already. Keys come out sorted.
std::string Dictionary(const std::map<std::string, std::string>& entries,
                       absl::string_view indent) {
  std::vector<std::string> lines;
  for (const auto& [key, value] : entries) {
    lines.push_back(absl::StrCat("\"", key, "\": ", value));
  }
  return Block('{', '}', lines, indent);
}

template <typename Value>
std::string ByLabel(Value value) {
  std::map<std::string, std::string> entries;
  for (int id = 0; id < kCityscapesLabelIds; ++id) {
    entries[std::string(CityscapesLabels()[id].name)] = value(id);
  }
  return Dictionary(entries, "    ");
}

std::string ByCategory(const std::array<double, kCityscapesCategories>& scores,
                       JsonNan nan) {
  std::map<std::string, std::string> entries;
  for (const CityscapesLabel& label : CityscapesLabels()) {
    entries[std::string(label.category)] =
        Number(scores[label.category_id], nan);
  }
  return Dictionary(entries, "    ");
}

std::string Matrix(const ConfusionMatrix& confusion) {
  std::vector<std::string> rows;
  for (int g = 0; g < ConfusionMatrix::kIds; ++g) {
    std::vector<std::string> row;
    for (int p = 0; p < ConfusionMatrix::kIds; ++p) {
      row.push_back(absl::StrCat(confusion.count(g, p)));
    }
    rows.push_back(Block('[', ']', row, "        "));
  }
  return Block('[', ']', rows, "    ");
}

}  // namespace

std::string OfficialJson(const CityscapesMetrics& metrics, JsonNan nan) {
  const CityscapesScores scores = metrics.Compute();
  const ConfusionMatrix& confusion = metrics.confusion();
  const double total = static_cast<double>(confusion.Total());
  const auto number = [nan](double value) { return Number(value, nan); };
  return Dictionary(
      {
          {"averageScoreCategories", number(scores.mean_category_iou)},
          {"averageScoreClasses", number(scores.mean_class_iou)},
          {"averageScoreInstCategories",
           number(scores.mean_category_instance_iou)},
          {"averageScoreInstClasses", number(scores.mean_class_instance_iou)},
          {"categoryInstScores", ByCategory(scores.category_instance_iou, nan)},
          {"categoryScores", ByCategory(scores.category_iou, nan)},
          {"classInstScores", ByLabel([&](int id) {
             return number(scores.class_instance_iou[id]);
           })},
          {"classScores",
           ByLabel([&](int id) { return number(scores.class_iou[id]); })},
          {"confMatrix", Matrix(confusion)},
          {"labels", ByLabel([](int id) { return absl::StrCat(id); })},
          {"priors", ByLabel([&](int id) {
             return number(static_cast<double>(confusion.GroundTruthCount(id)) /
                           total);
           })},
      },
      "");
}

}  // namespace mask2former
