#include "mask2former/eval/html_report.h"

#include <array>
#include <cmath>
#include <functional>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/confusion_matrix.h"
#include "mask2former/eval/evaluation_report.h"
#include "mask2former/eval/instance_overlaps.h"
#include "mask2former/eval/own_classes_report.h"

namespace mask2former {
namespace {

constexpr char kStyle[] = R"(
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; padding: 0 1em;
       max-width: 1180px; color: #1c1c1c; }
h1 { font-size: 1.5em; margin-bottom: 0; }
h2 { font-size: 1.15em; margin: 2em 0 .6em; }
p { margin: .3em 0; color: #555; }
.scores { display: flex; flex-wrap: wrap; gap: .6em; margin: 1.2em 0; }
.scores div { border: 1px solid #d5d5d5; border-radius: 6px;
              padding: .4em .9em; }
.scores b { display: block; font-size: 1.35em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { font-weight: 600; }
td, th { padding: .12em .7em; text-align: right; white-space: nowrap; }
td:first-child, th:first-child { text-align: left; }
thead th, tfoot td { border-bottom: 1px solid #999; }
tfoot td { border-top: 1px solid #999; font-weight: 600; }
.color { display: inline-block; width: .8em; height: .8em; margin-right: .5em; }
.heat td { padding: 0; width: 2.7em; min-width: 2.7em; height: 2.1em;
           text-align: center; font-size: .78em; border: 1px solid #eee; }
.heat td:first-child { width: auto; padding-right: .8em; font-size: 1em;
                       text-align: left; border: 0; }
.heat thead th { height: 7.5em; vertical-align: bottom; padding: 0; border: 0; }
.heat thead th span { writing-mode: vertical-rl; transform: rotate(180deg);
                      font-weight: 400; }
figure { margin: 1.2em 0; }
figure img { width: 100%; display: block; }
figcaption { font-size: .9em; color: #555; }
)";

std::string Escape(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

// A fraction in percent; a dash where it is undefined.
std::string Percent(double fraction) {
  return std::isnan(fraction) ? "&ndash;"
                              : absl::StrFormat("%.1f", 100 * fraction);
}

std::string Row(const std::vector<std::string>& cells, const char* tag = "td") {
  std::string row = "<tr>";
  for (const std::string& cell : cells) {
    absl::StrAppend(&row, "<", tag, ">", cell, "</", tag, ">");
  }
  return row + "</tr>\n";
}

// Rows between a heading and a last row, which may be empty.
std::string Table(const std::vector<std::string>& heading,
                  const std::string& rows, const std::string& last) {
  return absl::StrCat("<table><thead>", Row(heading, "th"), "</thead><tbody>\n",
                      rows, "</tbody><tfoot>", last, "</tfoot></table>\n");
}

// The class's colour and name.
std::string ClassCell(absl::string_view name,
                      const std::array<uint8_t, 3>& color) {
  return absl::StrFormat(
      "<span class=\"color\" style=\"background:rgb(%d,%d,%d)\"></span>%s",
      color[0], color[1], color[2], Escape(name));
}

std::string ClassCell(const CityscapesLabel& label) {
  return ClassCell(label.name, label.color);
}

std::string MainScoreBoxes(const Evaluation& evaluation) {
  std::string html = "<div class=\"scores\">";
  for (const auto& [name, score] : MainScores(evaluation)) {
    absl::StrAppend(&html, "<div><b>", Percent(score), "</b>", Escape(name),
                    "</div>");
  }
  return html + "</div>\n";
}

std::string SemanticTables(const SemanticResult& semantic) {
  const CityscapesScores& scores = semantic.scores;
  const ConfusionMatrix& confusion = semantic.metrics.confusion();
  const auto total = static_cast<double>(confusion.Total());
  std::string rows;
  for (int c = 0; c < kCityscapesClasses; ++c) {
    const CityscapesLabel& label = CityscapesClass(c);
    rows += Row({ClassCell(label), Percent(scores.class_iou[label.id]),
                 Percent(scores.class_instance_iou[label.id]),
                 Percent(semantic.generic.accuracy[c]),
                 Percent(confusion.GroundTruthCount(label.id) / total)});
  }
  std::string categories;
  int next = 1;  // 0 is void.
  for (const CityscapesLabel& label : CityscapesLabels()) {
    if (label.category_id != next) continue;
    categories +=
        Row({Escape(label.category), Percent(scores.category_iou[next]),
             Percent(scores.category_instance_iou[next])});
    ++next;
  }
  return absl::StrCat(
      "<h2>Semantic: classes</h2>\n",
      Table({"class", "IoU", "nIoU", "accuracy", "share of pixels"}, rows,
            Row({"mean", Percent(scores.mean_class_iou),
                 Percent(scores.mean_class_instance_iou),
                 Percent(semantic.generic.mean_accuracy), ""})),
      "<h2>Semantic: categories</h2>\n",
      Table({"category", "IoU", "nIoU"}, categories,
            Row({"mean", Percent(scores.mean_category_iou),
                 Percent(scores.mean_category_instance_iou)})));
}

// A cell of the heat map: blue for what is right, red for what is wrong, more
// of it for a higher share.
std::string HeatCell(double share, bool right, const std::string& title) {
  // The square root shows also small shares.
  const double strength = std::isnan(share) ? 0 : std::sqrt(share);
  const std::string text = std::isnan(share) || share < 0.005
                               ? ""
                               : absl::StrFormat("%.0f", 100 * share);
  return absl::StrFormat(
      "<td style=\"background:rgba(%s,%.3f)%s\" title=\"%s\">%s</td>",
      right ? "33,102,172" : "178,24,43", strength,
      strength > 0.6 ? ";color:#fff" : "", title, text);
}

struct HeatMapClass {
  std::string name;
  std::string cell;
  int64_t pixels;  // Of the ground truth.
};

//   count  pixels of the first class predicted as the second
std::string HeatMap(const std::vector<HeatMapClass>& classes,
                    const std::function<int64_t(size_t, size_t)>& count) {
  std::string html =
      "<h2>Semantic: confusion</h2>\n<p>Rows are the ground truth, columns the "
      "prediction; percent of the row's pixels.</p>\n"
      "<table class=\"heat\"><thead><tr><th></th>";
  for (const HeatMapClass& c : classes) {
    absl::StrAppend(&html, "<th><span>", Escape(c.name), "</span></th>");
  }
  absl::StrAppend(&html, "</tr></thead><tbody>\n");
  for (size_t t = 0; t < classes.size(); ++t) {
    const auto all = static_cast<double>(classes[t].pixels);
    absl::StrAppend(&html, "<tr><td>", classes[t].cell, "</td>");
    for (size_t p = 0; p < classes.size(); ++p) {
      const int64_t pixels = count(t, p);
      absl::StrAppend(
          &html,
          HeatCell(all == 0 ? std::nan("") : static_cast<double>(pixels) / all,
                   t == p,
                   Escape(absl::StrCat(pixels, " pixels of ", classes[t].name,
                                       " predicted as ", classes[p].name))));
    }
    absl::StrAppend(&html, "</tr>\n");
  }
  return html + "</tbody></table>\n";
}

std::string ConfusionHeatMap(const ConfusionMatrix& confusion) {
  std::vector<HeatMapClass> classes;
  for (int c = 0; c < kCityscapesClasses; ++c) {
    const CityscapesLabel& label = CityscapesClass(c);
    classes.push_back({std::string(label.name), ClassCell(label),
                       confusion.GroundTruthCount(label.id)});
  }
  return HeatMap(classes, [&](size_t t, size_t p) {
    return confusion.count(CityscapesClass(static_cast<int>(t)).id,
                           CityscapesClass(static_cast<int>(p)).id);
  });
}

std::string OwnClassesTables(const OwnClassesResult& result) {
  const size_t n = result.names.size();
  std::vector<HeatMapClass> classes;
  double total = 0;
  for (size_t k = 0; k < n; ++k) {
    int64_t pixels = 0;
    for (size_t p = 0; p < n; ++p) pixels += result.counts[k * n + p];
    classes.push_back({result.names[k],
                       ClassCell(result.names[k], result.colors[k]), pixels});
    total += static_cast<double>(pixels);
  }
  std::string rows, means;
  for (size_t k = 0; k < n; ++k) {
    rows += Row({classes[k].cell, Percent(result.scores.iou[k]),
                 Percent(result.scores.accuracy[k]),
                 Percent(static_cast<double>(classes[k].pixels) / total)});
  }
  if (HasBothKinds(result)) {
    for (const bool things : {true, false}) {
      const KindMeans mean = MeansOfKind(result, things);
      means += Row({things ? "mean of things" : "mean of stuff",
                    Percent(mean.iou), Percent(mean.accuracy), ""});
    }
  }
  means += Row({"mean", Percent(result.scores.mean_iou),
                Percent(result.scores.mean_accuracy), ""});
  return absl::StrCat(
      "<h2>Semantic: classes</h2>\n",
      Table({"class", "IoU", "accuracy", "share of pixels"}, rows, means),
      HeatMap(classes,
              [&](size_t t, size_t p) { return result.counts[t * n + p]; }));
}

std::vector<std::string> QualityCells(const std::string& name,
                                      const PanopticQuality& quality) {
  return {name, Percent(quality.pq), Percent(quality.sq), Percent(quality.rq)};
}

std::string PanopticTables(const PanopticScores& scores) {
  std::string rows, groups;
  for (const PanopticScores::Category& category : scores.categories) {
    std::vector<std::string> cells = QualityCells(
        ClassCell(CityscapesLabels()[category.category.id]), category.quality);
    for (const int64_t count :
         {category.true_positives, category.false_positives,
          category.false_negatives}) {
      cells.push_back(absl::StrCat(count));
    }
    rows += Row(cells);
  }
  const auto add_group = [&](const char* name,
                             const PanopticScores::Group& group) {
    std::vector<std::string> cells = QualityCells(
        absl::StrCat(name, " (", group.categories, ")"), group.mean);
    cells.resize(7);
    groups += Row(cells);
  };
  add_group("all", scores.all);
  add_group("things", scores.things);
  add_group("stuff", scores.stuff);
  return absl::StrCat(
      "<h2>Panoptic: classes</h2>\n",
      Table({"class", "PQ", "SQ", "RQ", "right", "wrong", "missed"}, rows,
            groups));
}

std::string InstanceTables(const InstanceScores& scores) {
  std::string rows;
  for (int c = 0; c < kInstanceClasses; ++c) {
    rows += Row({ClassCell(CityscapesLabels()[kInstanceLabelIds[c]]),
                 Percent(scores.class_ap[c]), Percent(scores.class_ap50[c])});
  }
  return absl::StrCat(
      "<h2>Instance: classes</h2>\n",
      Table({"class", "AP", "AP50"}, rows,
            Row({"mean", Percent(scores.mean_ap), Percent(scores.mean_ap50)})));
}

absl::StatusOr<std::string> WorstPictureFigures(
    const std::vector<WorstPicture>& pictures) {
  std::string html, task;
  for (const WorstPicture& picture : pictures) {
    if (picture.task != task) {
      task = picture.task;
      absl::StrAppend(&html, "<h2>The worst pictures: ", Escape(task),
                      "</h2>\n<p>Picture, ground truth, prediction; the score "
                      "of the picture alone.</p>\n");
    }
    cv::Mat bgr;
    cv::cvtColor(picture.strip, bgr, cv::COLOR_RGB2BGR);
    std::vector<uint8_t> jpeg;
    if (!cv::imencode(".jpg", bgr, jpeg, {cv::IMWRITE_JPEG_QUALITY, 85})) {
      return absl::InternalError(
          absl::StrCat("cannot encode the picture of ", picture.name));
    }
    absl::StrAppend(
        &html, "<figure><img alt=\"\" src=\"data:image/jpeg;base64,",
        absl::Base64Escape(absl::string_view(
            reinterpret_cast<const char*>(jpeg.data()), jpeg.size())),
        "\"><figcaption>", Escape(picture.name), ": ", Percent(picture.score),
        "</figcaption></figure>\n");
  }
  return html;
}

}  // namespace

absl::StatusOr<std::string> HtmlReport(const Evaluation& evaluation,
                                       const HtmlReportInfo& info) {
  M2F_ASSIGN_OR_RETURN(const std::string worst,
                       WorstPictureFigures(evaluation.worst));
  std::string html = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<title>",
      Escape(info.title), "</title><style>", kStyle,
      "</style></head><body>\n<h1>", Escape(info.title), "</h1>\n<p>",
      info.images, " pictures, weights ", Escape(info.weights),
      ". Scores in percent; a dash where one is undefined.</p>\n",
      evaluation.test_time_augmentation
          ? "<p>With test-time augmentation: each picture at several sizes, "
            "the mean of what the model says of them.</p>\n"
          : "",
      MainScoreBoxes(evaluation));
  if (evaluation.panoptic) html += PanopticTables(*evaluation.panoptic);
  if (evaluation.semantic) {
    html += SemanticTables(*evaluation.semantic);
    html += ConfusionHeatMap(evaluation.semantic->metrics.confusion());
  }
  if (evaluation.instance) html += InstanceTables(*evaluation.instance);
  if (evaluation.own_classes) html += OwnClassesTables(*evaluation.own_classes);
  return absl::StrCat(html, worst, "</body></html>\n");
}

}  // namespace mask2former
