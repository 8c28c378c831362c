#ifndef MASK2FORMER_EVAL_PYTHON_JSON_H_
#define MASK2FORMER_EVAL_PYTHON_JSON_H_

// JSON as Python's json.dumps(..., sort_keys=True, indent=4) writes it, so that
// result files equal those of the official programs byte for byte.

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mask2former {

// How to write undefined scores.
enum class JsonNan {
  kBare,  // NaN, as the official programs do. Python reads it, other readers
          // refuse it: it is not JSON.
  kNull,  // null
};

// As Python writes floats: the fewest digits that read back to the same double,
// exponents below 1e-4 and from 1e16 on, always with a point or an exponent.
// Infinities are Infinity and -Infinity, or null like NaN.
std::string JsonNumber(double value, JsonNan nan = JsonNan::kBare);

// `text` in quotes, with the escapes that JSON wants.
std::string JsonString(absl::string_view text);

// A line for each value, which are JSON already, between brackets. `indent` is
// that of the line on which the list stands. Empty lists are "[]".
std::string JsonList(const std::vector<std::string>& values,
                     absl::string_view indent);

// The same for keys and values; keys come out sorted.
std::string JsonDictionary(const std::map<std::string, std::string>& entries,
                           absl::string_view indent);

// The same in the order given.
struct JsonEntry {
  std::string key;
  std::string value;
};
std::string JsonDictionary(const std::vector<JsonEntry>& entries,
                           absl::string_view indent);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PYTHON_JSON_H_
