#ifndef MASK2FORMER_EVAL_SCORES_JSON_H_
#define MASK2FORMER_EVAL_SCORES_JSON_H_

#include <map>
#include <string>

#include "mask2former/eval/cityscapes_metrics.h"
#include "mask2former/eval/python_json.h"

namespace mask2former {

// The results as the official program writes them: a dictionary, sorted by key,
// of
//
//   averageScoreCategories, averageScoreClasses, averageScoreInstCategories,
//   averageScoreInstClasses         fractions
//   categoryInstScores, categoryScores, classInstScores, classScores
//                                   name -> fraction
//   confMatrix                      34 rows (ground truth) of 34 pixel counts
//   labels, priors                  name -> label id, share of the pixels
//
// Numbers have the fewest digits that read back to the same double.
//
// Differs: with JsonNan::kBare, only in the last digit of some instance scores,
// where the official program's depends on the order of files on disk.
std::string OfficialJson(const CityscapesMetrics& metrics,
                         JsonNan nan = JsonNan::kBare);

// Its entries, for a dictionary that holds others, too.
std::map<std::string, std::string> OfficialJsonEntries(
    const CityscapesMetrics& metrics, JsonNan nan = JsonNan::kBare);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_SCORES_JSON_H_
