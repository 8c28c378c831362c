#ifndef MASK2FORMER_EVAL_TEXT_COLOR_H_
#define MASK2FORMER_EVAL_TEXT_COLOR_H_

#include <string>

#include "absl/strings/string_view.h"

namespace mask2former {

enum class TextColor {
  kOff,
  kOn,  // Terminal escapes: red, yellow, blue, cyan, green by score.
};

inline constexpr absl::string_view kPlainText = "\033[0m";
inline constexpr absl::string_view kBoldText = "\033[1m";

// The escape that begins the colour of a score, a fraction: red below 0.2,
// yellow below 0.4, blue below 0.6, cyan below 0.8, then green; kPlainText for
// NaN. Empty with TextColor::kOff.
absl::string_view ScoreEscape(double score, TextColor color);

// `value` with `digits` digits, at least `width` characters wide; "nan" for any
// NaN, whose sign printf may show.
std::string NumberText(double value, int width, int digits);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_TEXT_COLOR_H_
