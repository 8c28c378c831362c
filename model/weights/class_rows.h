#ifndef MASK2FORMER_MODEL_WEIGHTS_CLASS_ROWS_H_
#define MASK2FORMER_MODEL_WEIGHTS_CLASS_ROWS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mask2former {

// Which rows of a file's classifier are rows of a model's.
struct ClassRows {
  std::vector<std::pair<int64_t, int64_t>> rows;  // File's, model's.
  std::string reason;                             // For the report.
};

// Rows of classes with the same name; the last rows ("no object") always.
//
//   file_names, model_names   by class number, without "no object"
//   file_rows, model_rows     K + 1
//
// Unless both have a name per class: the first min(K) rows and the last.
ClassRows MatchClassRows(const std::vector<std::string>& file_names,
                         int64_t file_rows,
                         const std::vector<std::string>& model_names,
                         int64_t model_rows);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_CLASS_ROWS_H_
