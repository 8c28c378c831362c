#ifndef MASK2FORMER_EVAL_OWN_CLASSES_REPORT_H_
#define MASK2FORMER_EVAL_OWN_CLASSES_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "mask2former/eval/generic_metrics.h"
#include "mask2former/eval/visualize.h"

namespace mask2former {

// Scores of the semantic task on a data set with classes of its own.
struct OwnClassesResult {
  std::vector<std::string> names;  // [K]
  ClassColors colors;              // [K]
  std::vector<bool> is_thing;      // [K]
  GenericScores scores;
  std::vector<int64_t> counts;  // [K, K] pixels; the rows are ground truth.
};

// Means over the classes of one kind that the ground truth has, NaN if there
// are none.
struct KindMeans {
  double iou;
  double accuracy;
};
KindMeans MeansOfKind(const OwnClassesResult& result, bool things);

// Whether there are things and stuff.
bool HasBothKinds(const OwnClassesResult& result);

// IoU and accuracy of each class, fractions with four digits, and their means:
// of things and of stuff, too, if there are both.
std::string OwnClassesTable(const OwnClassesResult& result);

// {"mIoU": .., "fwIoU": .., "mACC": .., "pACC": .., "classes": {NAME: {"IoU":
// .., "accuracy": ..}}}, and "things" and "stuff" with the means of both kinds.
// Fractions; null where undefined. `suffix` goes behind each of these names but
// NAME, IoU and accuracy.
std::string OwnClassesJson(const OwnClassesResult& result,
                           const std::string& suffix = "");

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_OWN_CLASSES_REPORT_H_
