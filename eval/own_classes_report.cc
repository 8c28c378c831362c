#include "mask2former/eval/own_classes_report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_format.h"

namespace mask2former {
namespace {

using nlohmann::json;

// JSON has no NaN.
json Number(double value) {
  return std::isnan(value) ? json(nullptr) : json(value);
}

json Pair(double iou, double accuracy) {
  return {{"IoU", Number(iou)}, {"accuracy", Number(accuracy)}};
}

std::string Line(const std::string& name, double iou, double accuracy) {
  return absl::StrFormat("%-24s %8.4f %8.4f\n", name, iou, accuracy);
}

}  // namespace

KindMeans MeansOfKind(const OwnClassesResult& result, bool things) {
  KindMeans sums = {0, 0};
  int count = 0;
  for (size_t k = 0; k < result.names.size(); ++k) {
    if (result.is_thing[k] != things || std::isnan(result.scores.iou[k])) {
      continue;
    }
    sums.iou += result.scores.iou[k];
    sums.accuracy += result.scores.accuracy[k];
    ++count;
  }
  if (count == 0) {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    return {kNaN, kNaN};
  }
  return {sums.iou / count, sums.accuracy / count};
}

bool HasBothKinds(const OwnClassesResult& result) {
  const auto things =
      std::count(result.is_thing.begin(), result.is_thing.end(), true);
  return things > 0 && things < static_cast<int64_t>(result.is_thing.size());
}

std::string OwnClassesTable(const OwnClassesResult& result) {
  std::string table =
      absl::StrFormat("%-24s %8s %8s\n", "class", "IoU", "accuracy");
  for (size_t k = 0; k < result.names.size(); ++k) {
    table +=
        Line(result.names[k], result.scores.iou[k], result.scores.accuracy[k]);
  }
  if (HasBothKinds(result)) {
    for (const bool things : {true, false}) {
      const KindMeans means = MeansOfKind(result, things);
      table += Line(things ? "mean of things" : "mean of stuff", means.iou,
                    means.accuracy);
    }
  }
  return table +
         Line("mean", result.scores.mean_iou, result.scores.mean_accuracy);
}

std::string OwnClassesJson(const OwnClassesResult& result,
                           const std::string& suffix) {
  json classes = json::object();
  for (size_t k = 0; k < result.names.size(); ++k) {
    classes[result.names[k]] =
        Pair(result.scores.iou[k], result.scores.accuracy[k]);
  }
  json root = {{"mIoU" + suffix, Number(result.scores.mean_iou)},
               {"fwIoU" + suffix, Number(result.scores.frequency_weighted_iou)},
               {"mACC" + suffix, Number(result.scores.mean_accuracy)},
               {"pACC" + suffix, Number(result.scores.pixel_accuracy)},
               {"classes" + suffix, std::move(classes)}};
  if (HasBothKinds(result)) {
    const KindMeans things = MeansOfKind(result, true);
    const KindMeans stuff = MeansOfKind(result, false);
    root["things" + suffix] = Pair(things.iou, things.accuracy);
    root["stuff" + suffix] = Pair(stuff.iou, stuff.accuracy);
  }
  return root.dump(/*indent=*/2, ' ', /*ensure_ascii=*/false,
                   json::error_handler_t::replace) +
         "\n";
}

}  // namespace mask2former
