#include "mask2former/eval/text_color.h"

#include <cmath>

#include "absl/strings/str_format.h"

namespace mask2former {

absl::string_view ScoreEscape(double score, TextColor color) {
  if (color == TextColor::kOff) return "";
  if (std::isnan(score)) return kPlainText;
  if (score < .20) return "\033[31;1m";
  if (score < .40) return "\033[33;1m";
  if (score < .60) return "\033[34;1m";
  if (score < .80) return "\033[36;1m";
  return "\033[32;1m";
}

std::string NumberText(double value, int width, int digits) {
  return std::isnan(value) ? absl::StrFormat("%*s", width, "nan")
                           : absl::StrFormat("%*.*f", width, digits, value);
}

}  // namespace mask2former
