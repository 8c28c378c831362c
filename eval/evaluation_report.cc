#include "mask2former/eval/evaluation_report.h"

#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/generic_scores.h"
#include "mask2former/eval/instance_report.h"
#include "mask2former/eval/own_classes_report.h"
#include "mask2former/eval/panoptic_report.h"
#include "mask2former/eval/report.h"
#include "mask2former/eval/scores_json.h"

namespace mask2former {
namespace {

using Entries = std::map<std::string, std::string>;
using Scores = std::vector<std::pair<std::string, double>>;

// Fractions -> a dictionary of percents.
std::string Percents(const Scores& scores, JsonNan nan) {
  Entries entries;
  for (const auto& [name, value] : scores) {
    entries[name] = JsonNumber(100 * value, nan);
  }
  return JsonDictionary(entries, "    ");
}

Scores PanopticSeg(const PanopticScores& panoptic) {
  Scores scores;
  for (const auto& [suffix, group] :
       {std::pair<absl::string_view, const PanopticScores::Group&>(
            "", panoptic.all),
        {"_th", panoptic.things},
        {"_st", panoptic.stuff}}) {
    scores.emplace_back(absl::StrCat("PQ", suffix), group.mean.pq);
    scores.emplace_back(absl::StrCat("SQ", suffix), group.mean.sq);
    scores.emplace_back(absl::StrCat("RQ", suffix), group.mean.rq);
  }
  return scores;
}

Scores Generic(const GenericScores& generic) {
  return {{"mIoU", generic.mean_iou},
          {"fwIoU", generic.frequency_weighted_iou},
          {"mACC", generic.mean_accuracy},
          {"pACC", generic.pixel_accuracy}};
}

}  // namespace

std::string EvaluationTables(const Evaluation& evaluation) {
  std::vector<std::string> tables;
  if (evaluation.panoptic) {
    tables.push_back(PanopticTable(*evaluation.panoptic));
  }
  if (evaluation.semantic) {
    tables.push_back(ClassTable(evaluation.semantic->scores));
    tables.push_back(CategoryTable(evaluation.semantic->scores));
    tables.push_back(GenericLine(evaluation.semantic->generic));
  }
  if (evaluation.instance) {
    tables.push_back(InstanceTable(*evaluation.instance));
  }
  if (evaluation.own_classes) {
    tables.push_back(OwnClassesTable(*evaluation.own_classes));
    tables.push_back(GenericLine(evaluation.own_classes->scores));
  }
  if (evaluation.test_time_augmentation && !tables.empty()) {
    tables.insert(tables.begin(),
                  "With test-time augmentation, the mean over sizes:\n");
  }
  return absl::StrJoin(tables, "\n");
}

std::string MetricsJson(const Evaluation& evaluation, JsonNan nan) {
  const std::string suffix = evaluation.test_time_augmentation ? "_TTA" : "";
  if (evaluation.own_classes) {
    return OwnClassesJson(*evaluation.own_classes, suffix);
  }
  Entries all;
  if (evaluation.semantic) {
    const CityscapesScores& scores = evaluation.semantic->scores;
    all.merge(OfficialJsonEntries(evaluation.semantic->metrics, nan));
    all["sem_seg" + suffix] =
        Percents({{"IoU", scores.mean_class_iou},
                  {"iIoU", scores.mean_class_instance_iou},
                  {"IoU_sup", scores.mean_category_iou},
                  {"iIoU_sup", scores.mean_category_instance_iou}},
                 nan);
    all["sem_seg_generic" + suffix] =
        Percents(Generic(evaluation.semantic->generic), nan);
  }
  if (evaluation.panoptic) {
    all.merge(PanopticJsonEntries(*evaluation.panoptic, nan));
    all["panoptic_seg" + suffix] =
        Percents(PanopticSeg(*evaluation.panoptic), nan);
  }
  if (evaluation.instance) {
    all.merge(InstanceJsonEntries(*evaluation.instance, nan));
    all["segm" + suffix] = Percents({{"AP", evaluation.instance->mean_ap},
                                     {"AP50", evaluation.instance->mean_ap50}},
                                    nan);
  }
  return JsonDictionary(all, "");
}

bool IsAllVoid(const Evaluation& evaluation) {
  if (evaluation.semantic) {
    const ConfusionMatrix& confusion = evaluation.semantic->metrics.confusion();
    for (int c = 0; c < kCityscapesClasses; ++c) {
      if (confusion.GroundTruthCount(CityscapesClass(c).id) > 0) return false;
    }
    return true;
  }
  if (evaluation.panoptic) {
    for (const PanopticScores::Category& category :
         evaluation.panoptic->categories) {
      if (category.true_positives + category.false_negatives > 0) return false;
    }
    return true;
  }
  return evaluation.instance && std::isnan(evaluation.instance->mean_ap);
}

Scores MainScores(const Evaluation& evaluation) {
  Scores all;
  if (evaluation.panoptic) all = PanopticSeg(*evaluation.panoptic);
  if (evaluation.semantic) {
    const CityscapesScores& scores = evaluation.semantic->scores;
    const GenericScores& generic = evaluation.semantic->generic;
    const Scores semantic = {
        {"IoU", scores.mean_class_iou},
        {"nIoU", scores.mean_class_instance_iou},
        {"IoU_category", scores.mean_category_iou},
        {"nIoU_category", scores.mean_category_instance_iou},
        {"pixel_accuracy", scores.pixel_accuracy},
        {"mIoU", generic.mean_iou},
        {"fwIoU", generic.frequency_weighted_iou},
        {"mACC", generic.mean_accuracy}};
    all.insert(all.end(), semantic.begin(), semantic.end());
  }
  if (evaluation.instance) {
    all.emplace_back("AP", evaluation.instance->mean_ap);
    all.emplace_back("AP50", evaluation.instance->mean_ap50);
  }
  if (evaluation.own_classes) all = Generic(evaluation.own_classes->scores);
  return all;
}

}  // namespace mask2former
