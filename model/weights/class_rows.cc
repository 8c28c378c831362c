#include "mask2former/model/weights/class_rows.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mask2former {

ClassRows MatchClassRows(const std::vector<std::string>& file_names,
                         int64_t file_rows,
                         const std::vector<std::string>& model_names,
                         int64_t model_rows) {
  ClassRows result;
  if (file_rows < 1 || model_rows < 1) return result;
  const bool named = static_cast<int64_t>(file_names.size()) + 1 == file_rows &&
                     static_cast<int64_t>(model_names.size()) + 1 == model_rows;
  if (named) {
    std::vector<std::string> fresh;
    for (size_t i = 0; i < model_names.size(); ++i) {
      const auto found =
          std::find(file_names.begin(), file_names.end(), model_names[i]);
      if (found == file_names.end()) {
        fresh.push_back(model_names[i]);
      } else {
        result.rows.push_back(
            {found - file_names.begin(), static_cast<int64_t>(i)});
      }
    }
    result.reason = absl::StrCat(result.rows.size(), " of ", model_names.size(),
                                 " classes by name, and \"no object\"");
    if (!fresh.empty()) {
      absl::StrAppend(&result.reason,
                      "; as initialised: ", absl::StrJoin(fresh, ", "));
    }
  } else {
    for (int64_t i = 0; i + 1 < std::min(file_rows, model_rows); ++i) {
      result.rows.push_back({i, i});
    }
    result.reason = absl::StrCat(
        "the first ", result.rows.size(),
        " classes by number, for want of names, and \"no object\"");
  }
  result.rows.push_back({file_rows - 1, model_rows - 1});
  return result;
}

}  // namespace mask2former
