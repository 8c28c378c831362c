#include "mask2former/common/config/suggestion.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mask2former {
namespace {

constexpr size_t kMaxListed = 40;

}  // namespace

int EditDistance(absl::string_view a_in, absl::string_view b_in) {
  const std::string a = absl::AsciiStrToLower(a_in);
  const std::string b = absl::AsciiStrToLower(b_in);
  // cost[i][j]: between the first i letters of a and the first j of b.
  std::vector<std::vector<int>> cost(a.size() + 1,
                                     std::vector<int>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = static_cast<int>(i);
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      cost[i][j] =
          std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                    cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

std::string Suggest(absl::string_view word,
                    absl::Span<const std::string> names) {
  if (names.empty()) return "";
  const std::string* nearest = nullptr;
  int smallest = 0;
  for (const std::string& name : names) {
    const int distance = EditDistance(word, name);
    if (nearest == nullptr || distance < smallest) {
      nearest = &name;
      smallest = distance;
    }
  }
  // Half the letters wrong is another word, not a slip.
  const size_t length = std::max(word.size(), nearest->size());
  if (2 * static_cast<size_t>(smallest) < length) {
    return absl::StrCat("; did you mean '", *nearest, "'?");
  }
  const size_t listed = std::min(names.size(), kMaxListed);
  return absl::StrCat("; known are ",
                      absl::StrJoin(names.subspan(0, listed), ", "),
                      listed < names.size() ? ", .." : "");
}

}  // namespace mask2former
