#include "mask2former/eval/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {
namespace {

constexpr char kRule[] = "--------------------------------\n";

// `text`, coloured by `score`.
std::string Colored(absl::string_view text, double score, TextColor color) {
  return color == TextColor::kOff
             ? std::string(text)
             : absl::StrCat(ScoreEscape(score, color), text, kPlainText);
}

std::string Heading(absl::string_view text, TextColor color) {
  return color == TextColor::kOff
             ? absl::StrCat(text, "\n", kRule)
             : absl::StrCat(kBoldText, text, kPlainText, "\n", kRule);
}

std::string Line(absl::string_view name, double iou, double instance_iou,
                 TextColor color) {
  return absl::StrFormat(
      "%-14s: %s    %s\n", name, Colored(NumberText(iou, 5, 3), iou, color),
      Colored(NumberText(instance_iou, 5, 3), instance_iou, color));
}

std::string Averages(double iou, double instance_iou, TextColor color) {
  return absl::StrCat(kRule, Line("Score Average", iou, instance_iou, color),
                      kRule);
}

// The rule of the confusion table, but its end: "\b----- \b----- ...".
std::string ConfusionRule() {
  constexpr absl::string_view kDashes = "-----------------";
  std::string rule = absl::StrCat("\b", kDashes.substr(0, 14), "  ");
  for (int id = 0; id < kCityscapesLabelIds; ++id) {
    absl::StrAppend(&rule, "\b", kDashes.substr(0, 6), "  ");
  }
  absl::StrAppend(&rule, "\b", kDashes.substr(0, 7), " ");
  return rule;
}

std::string ConfusionRow(const ConfusionMatrix& confusion, int id, double prior,
                         TextColor color) {
  std::string row =
      absl::StrFormat("\b%13s | ", CityscapesLabels()[id].name.substr(0, 13));
  const double pixels = static_cast<double>(confusion.GroundTruthCount(id));
  for (int predicted = 0; predicted < kCityscapesLabelIds; ++predicted) {
    const double share =
        static_cast<double>(confusion.count(id, predicted)) / pixels;
    absl::StrAppend(&row,
                    Colored(absl::StrCat("\b", NumberText(share, 5, 2), "  "),
                            share, color),
                    " ");
  }
  absl::StrAppend(
      &row,
      Colored(absl::StrCat("\b", NumberText(prior, 6, 4), " "), prior, color),
      "\n");
  return row;
}

}  // namespace

std::string ClassTable(const CityscapesScores& scores, TextColor color) {
  std::string table = Heading("classes          IoU      nIoU", color);
  for (const CityscapesLabel& label : CityscapesLabels()) {
    if (label.ignore_in_eval) continue;
    absl::StrAppend(&table, Line(label.name, scores.class_iou[label.id],
                                 scores.class_instance_iou[label.id], color));
  }
  return table +
         Averages(scores.mean_class_iou, scores.mean_class_instance_iou, color);
}

std::string CategoryTable(const CityscapesScores& scores, TextColor color) {
  std::string table = Heading("categories       IoU      nIoU", color);
  int next = 1;  // 0 is void.
  for (const CityscapesLabel& label : CityscapesLabels()) {
    if (label.category_id != next) continue;
    absl::StrAppend(&table, Line(label.category, scores.category_iou[next],
                                 scores.category_instance_iou[next], color));
    ++next;
  }
  return table + Averages(scores.mean_category_iou,
                          scores.mean_category_instance_iou, color);
}

std::string ConfusionTable(const ConfusionMatrix& confusion, TextColor color) {
  std::string table = absl::StrCat(ConfusionRule(), "\n");
  absl::StrAppend(&table, absl::StrFormat("\b%13s | ", ""));
  for (int id = 0; id < kCityscapesLabelIds; ++id) {
    absl::StrAppend(&table, "\b  ", CityscapesLabels()[id].name.substr(0, 1),
                    "   | ");
  }
  absl::StrAppend(&table, "\b Prior |\n", ConfusionRule(), "\n");
  const double total = static_cast<double>(confusion.Total());
  for (int id = 0; id < kCityscapesLabelIds; ++id) {
    const double prior =
        static_cast<double>(confusion.GroundTruthCount(id)) / total;
    // The official program's bound; also false for NaN, without any pixel.
    if (prior >= 1e-9) {
      absl::StrAppend(&table, ConfusionRow(confusion, id, prior, color));
    }
  }
  absl::StrAppend(&table, ConfusionRule(), " ");
  return table;
}

std::string OfficialReport(const CityscapesMetrics& metrics, TextColor color) {
  const CityscapesScores scores = metrics.Compute();
  return absl::StrCat(ConfusionTable(metrics.confusion(), color), "\n\n",
                      ClassTable(scores, color), "\n\n",
                      CategoryTable(scores, color), "\n");
}

}  // namespace mask2former
