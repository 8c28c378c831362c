#ifndef MASK2FORMER_EVAL_INSTANCE_REPORT_H_
#define MASK2FORMER_EVAL_INSTANCE_REPORT_H_

#include <map>
#include <string>

#include "mask2former/eval/instance_metrics.h"
#include "mask2former/eval/python_json.h"
#include "mask2former/eval/text_color.h"

namespace mask2former {

// The official program's table, byte for byte: an empty line, a heading "what :
// AP AP_50%", a line per class with fractions of three digits, "average", and
// an empty line.
std::string InstanceTable(const InstanceScores& scores,
                          TextColor color = TextColor::kOff);

// The official program's result file:
//
//   averages            allAp, allAp50%, and by class ap and ap50%; fractions
//   overlaps, minRegionSizes, distanceThresholds, minStereoDensities
//                       the settings; distances are not used
//   instLabels          names of the classes
//   resultApMatrix      [1][class][overlap]
//
// Averages may differ in the last digit, where the official program adds up in
// another order.
std::string InstanceJson(const InstanceScores& scores,
                         JsonNan nan = JsonNan::kBare);

// Its entries, for a dictionary that holds others, too.
std::map<std::string, std::string> InstanceJsonEntries(
    const InstanceScores& scores, JsonNan nan = JsonNan::kBare);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_INSTANCE_REPORT_H_
