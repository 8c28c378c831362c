#ifndef MASK2FORMER_MODEL_WEIGHTS_NAME_RULE_H_
#define MASK2FORMER_MODEL_WEIGHTS_NAME_RULE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace mask2former {

// A line of a table that translates parameter names between two conventions,
// here called left and right.
//
// Both sides are patterns: '#' stands for a number, '*' at the end for any
// rest. The n-th number on the right is the n-th on the left plus shift[n].
struct NameRule {
  const char* left;
  const char* right;
  int shift[3] = {0, 0, 0};
  // -1: the same tensor. Else the left one is this part, out of `parts` equal
  // ones along dimension 0, of the right one.
  int part = -1;
  int parts = 1;
};

struct TranslatedName {
  std::string name;
  const NameRule* rule = nullptr;
};

// The right side for a name that fits the left side of a rule, the first such.
std::optional<TranslatedName> ToRight(absl::string_view name,
                                      absl::Span<const NameRule> rules);

// The left sides for a name that fits the right side of a rule: one, or for a
// rule with parts all of them, in the order of the table.
std::vector<TranslatedName> ToLeft(absl::string_view name,
                                   absl::Span<const NameRule> rules);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_NAME_RULE_H_
