#ifndef MASK2FORMER_EVAL_EVALUATION_REPORT_H_
#define MASK2FORMER_EVAL_EVALUATION_REPORT_H_

#include <string>
#include <utility>
#include <vector>

#include "mask2former/eval/evaluation.h"
#include "mask2former/eval/python_json.h"

namespace mask2former {

// The official programs' tables of the tasks that were scored, one below the
// other, and the line of generic scores; above them a line that tells of
// test-time augmentation. Empty if nothing was.
std::string EvaluationTables(const Evaluation& evaluation);

// The scores of the tasks that were scored in one dictionary:
//
//   averageScoreClasses, ...   semantic: the entries of OfficialJson()
//   averages, overlaps, ...    instance: those of InstanceJson()
//   All, Stuff, Things, ...    panoptic: those of PanopticJson()
//
// all three fractions, and under the names of the official training code, in
// percent:
//
//   sem_seg          IoU, IoU_sup, iIoU, iIoU_sup
//   sem_seg_generic  fwIoU, mACC, mIoU, pACC
//   segm             AP, AP50
//   panoptic_seg     PQ, PQ_st, PQ_th, RQ, ..., SQ, ...
//
// These names end in "_TTA" with test-time augmentation, as there. Of a user's
// own classes: OwnClassesJson(), with this suffix.
std::string MetricsJson(const Evaluation& evaluation,
                        JsonNan nan = JsonNan::kBare);

// Whether the ground truth of all pictures had nothing to find, so that scores
// are undefined.
bool IsAllVoid(const Evaluation& evaluation);

// The main scores of the tasks that were scored by name, fractions: PQ, SQ and
// RQ, those of things and stuff; IoU, nIoU, IoU_category, nIoU_category,
// pixel_accuracy, mIoU, fwIoU, mACC; AP, AP50. Of a user's own classes mIoU,
// fwIoU, mACC, pACC.
std::vector<std::pair<std::string, double>> MainScores(
    const Evaluation& evaluation);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_EVALUATION_REPORT_H_
