#ifndef MASK2FORMER_EVAL_HTML_REPORT_H_
#define MASK2FORMER_EVAL_HTML_REPORT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "mask2former/eval/evaluation.h"

namespace mask2former {

struct HtmlReportInfo {
  std::string title;  // For instance the experiment's name and split.
  int64_t images = 0;
  std::string weights;  // Where they came from.
};

// A page about an evaluation, one file without any other: the main scores,
// whether they are those of test-time augmentation, a table per task by class,
// the confusion matrix as a heat map, and the worst pictures.
//
// Returns Internal if a picture cannot be encoded.
absl::StatusOr<std::string> HtmlReport(const Evaluation& evaluation,
                                       const HtmlReportInfo& info);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_HTML_REPORT_H_
