#ifndef MASK2FORMER_MODEL_WEIGHTS_WEIGHTS_REPORT_H_
#define MASK2FORMER_MODEL_WEIGHTS_WEIGHTS_REPORT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "mask2former/model/weights/weight_file.h"

namespace mask2former {

// What became of a weight file's tensors and a model's entries.
struct WeightsReport {
  std::vector<std::string> matched;
  std::vector<std::string> missing;     // In the model, not in the file.
  std::vector<std::string> unexpected;  // In the file, not in the model.
  // "name: file [20, 256], model [6, 256]".
  std::vector<std::string> mismatched;
  // Taken in part although the shape differs, and which part.
  std::vector<IgnoredEntry> adapted;
  // Neither missing nor unexpected, and why.
  std::vector<IgnoredEntry> explained;
  std::string format;  // Of the file; empty if there was none.
  std::string naming;

  bool complete() const {
    return missing.empty() && unexpected.empty() && mismatched.empty();
  }

  // One line with the counts, then up to `limit` names of each kind.
  std::string ToString(size_t limit = 5) const;

  // A line per tensor: outcome, name, reason. Matched ones last, or left out.
  std::string ToTable(bool with_matched = true) const;
};

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_WEIGHTS_REPORT_H_
