#ifndef MASK2FORMER_EVAL_PANOPTIC_REPORT_H_
#define MASK2FORMER_EVAL_PANOPTIC_REPORT_H_

#include <map>
#include <string>

#include "mask2former/eval/panoptic_metrics.h"
#include "mask2former/eval/python_json.h"

namespace mask2former {

// The official program's table, byte for byte: a line per category with PQ, SQ
// and RQ in percent with one digit, then the three groups with their number of
// categories.
std::string PanopticTable(const PanopticScores& scores);

// The official program's result file: All, Stuff and Things with n, pq, rq and
// sq, and per_class with pq, rq and sq by category id; fractions.
std::string PanopticJson(const PanopticScores& scores,
                         JsonNan nan = JsonNan::kBare);

// Its entries, for a dictionary that holds others, too.
std::map<std::string, std::string> PanopticJsonEntries(
    const PanopticScores& scores, JsonNan nan = JsonNan::kBare);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PANOPTIC_REPORT_H_
