#include "mask2former/eval/python_json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace mask2former {
namespace {

std::string ToChars(double value, std::chars_format format) {
  std::array<char, 400> buffer;
  const std::to_chars_result result = std::to_chars(
      buffer.data(), buffer.data() + buffer.size(), value, format);
  return std::string(buffer.data(), result.ptr);
}

std::string Block(absl::string_view open, absl::string_view close,
                  const std::vector<std::string>& lines,
                  absl::string_view indent) {
  if (lines.empty()) return absl::StrCat(open, close);
  const std::string separator = absl::StrCat(",\n", indent, "    ");
  return absl::StrCat(open, "\n", indent, "    ",
                      absl::StrJoin(lines, separator), "\n", indent, close);
}

}  // namespace

std::string JsonNumber(double value, JsonNan nan) {
  if (!std::isfinite(value)) {
    if (nan == JsonNan::kNull) return "null";
    return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  }
  const std::string scientific = ToChars(value, std::chars_format::scientific);
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  if (value != 0 && (exponent < -4 || exponent >= 16)) return scientific;
  const std::string fixed = ToChars(value, std::chars_format::fixed);
  return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
}

std::string JsonString(absl::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&json, "\\u%04x", c);
    } else {
      json += c;
    }
  }
  return json + '"';
}

std::string JsonList(const std::vector<std::string>& values,
                     absl::string_view indent) {
  return Block("[", "]", values, indent);
}

std::string JsonDictionary(const std::map<std::string, std::string>& entries,
                           absl::string_view indent) {
  std::vector<JsonEntry> sorted;
  for (const auto& [key, value] : entries) sorted.push_back({key, value});
  return JsonDictionary(sorted, indent);
}

std::string JsonDictionary(const std::vector<JsonEntry>& entries,
                           absl::string_view indent) {
  std::vector<std::string> lines;
  for (const JsonEntry& entry : entries) {
    lines.push_back(absl::StrCat(JsonString(entry.key), ": ", entry.value));
  }
  return Block("{", "}", lines, indent);
}

}  // namespace mask2former
