#ifndef MASK2FORMER_COMMON_CONFIG_SUGGESTION_H_
#define MASK2FORMER_COMMON_CONFIG_SUGGESTION_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace mask2former {

// Fewest insertions, deletions, substitutions and swaps of neighbours that turn
// `a` into `b`, with upper and lower case taken as equal. A letter takes part
// in one swap at most.
int EditDistance(absl::string_view a, absl::string_view b);

// The name that was probably meant by `word`: "; did you mean 'x'?", or, if
// none is near, "; known are a, b, c" in the order given (the first forty).
// Empty if there are no names.
std::string Suggest(absl::string_view word,
                    absl::Span<const std::string> names);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_CONFIG_SUGGESTION_H_
