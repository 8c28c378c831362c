#ifndef MASK2FORMER_EVAL_GENERIC_SCORES_H_
#define MASK2FORMER_EVAL_GENERIC_SCORES_H_

#include <string>

#include "mask2former/eval/confusion_matrix.h"
#include "mask2former/eval/generic_metrics.h"

namespace mask2former {

// mIoU, fwIoU, mACC and pACC of the 19 classes, from the counts that the
// pixel-level program's scores are made of: train ids, all else ignored.
//
// Pixels whose prediction is no evaluated class do not count, as in the
// original, though they are misses for the pixel-level program; networks
// predict none.
//
// Source: spec of the official SemSegEvaluator.
GenericScores GenericCityscapesScores(const ConfusionMatrix& confusion);

// "mIoU 70.2  fwIoU 85.1  mACC 73.0  pACC 89.3 (percent)" with four digits
// after the point, and an end of line.
std::string GenericLine(const GenericScores& scores);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_GENERIC_SCORES_H_
