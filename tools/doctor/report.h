#ifndef MASK2FORMER_TOOLS_DOCTOR_REPORT_H_
#define MASK2FORMER_TOOLS_DOCTOR_REPORT_H_

#include <string>
#include <utility>
#include <vector>

#include "mask2former/tools/doctor/diagnose.h"
#include "mask2former/tools/doctor/facts.h"

namespace mask2former {

// What is shown of `facts`, as (name, value), in reading order.
std::vector<std::pair<std::string, std::string>> Rows(const Facts& facts);

// A table of Rows(), then the findings, then a line that sums up.
std::string TextReport(const Facts& facts,
                       const std::vector<Finding>& findings);

// {"ok": false, "rows": {name: value, ...}, "problems": [{"what", "fix"}],
// "notes": [...]}
std::string JsonReport(const Facts& facts,
                       const std::vector<Finding>& findings);

// Whether no finding is a problem.
bool IsSound(const std::vector<Finding>& findings);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_DOCTOR_REPORT_H_
