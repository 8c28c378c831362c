#include "mask2former/model/weights/name_rule.h"

#include <array>
#include <cctype>
#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace mask2former {
namespace {

// What '#' and '*' of a pattern stand for in a name.
struct Match {
  std::array<int64_t, 3> numbers = {};
  absl::string_view rest;
};

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }

std::optional<Match> Fit(absl::string_view name, absl::string_view pattern) {
  Match match;
  size_t count = 0;
  size_t at = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') {
      match.rest = name.substr(at);
      return match;
    }
    if (pattern[i] == '#') {
      size_t end = at;
      while (end < name.size() && IsDigit(name[end])) ++end;
      // No model has a thousand of anything; a longer number is part of no
      // name.
      if (end == at || end - at > 3 || count == match.numbers.size() ||
          !absl::SimpleAtoi(name.substr(at, end - at),
                            &match.numbers[count++])) {
        return std::nullopt;
      }
      at = end;
    } else {
      if (at >= name.size() || name[at] != pattern[i]) return std::nullopt;
      ++at;
    }
  }
  if (at != name.size()) return std::nullopt;
  return match;
}

// Nothing if a number would be negative.
std::optional<std::string> Fill(absl::string_view pattern, const Match& match,
                                const int (&shift)[3], int sign) {
  std::string name;
  size_t count = 0;
  for (const char c : pattern) {
    if (c == '*') {
      absl::StrAppend(&name, match.rest);
    } else if (c == '#') {
      const int64_t number = match.numbers[count] + sign * shift[count];
      if (number < 0) return std::nullopt;
      absl::StrAppend(&name, number);
      ++count;
    } else {
      name.push_back(c);
    }
  }
  return name;
}

}  // namespace

std::optional<TranslatedName> ToRight(absl::string_view name,
                                      absl::Span<const NameRule> rules) {
  for (const NameRule& rule : rules) {
    const std::optional<Match> match = Fit(name, rule.left);
    if (!match.has_value()) continue;
    const auto filled = Fill(rule.right, *match, rule.shift, 1);
    if (filled.has_value()) return TranslatedName{*filled, &rule};
  }
  return std::nullopt;
}

std::vector<TranslatedName> ToLeft(absl::string_view name,
                                   absl::Span<const NameRule> rules) {
  std::vector<TranslatedName> names;
  for (const NameRule& rule : rules) {
    const std::optional<Match> match = Fit(name, rule.right);
    if (!match.has_value()) continue;
    const auto filled = Fill(rule.left, *match, rule.shift, -1);
    if (!filled.has_value()) continue;
    names.push_back({*filled, &rule});
    if (static_cast<int>(names.size()) == rule.parts) return names;
  }
  return names;
}

}  // namespace mask2former
