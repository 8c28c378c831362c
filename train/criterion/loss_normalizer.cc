#include "mask2former/train/criterion/loss_normalizer.h"

#include <algorithm>

namespace mask2former {

LossNormalizer NormalizeByBatch(absl::Span<const int64_t> target_counts,
                                int64_t num_queries, double no_object_weight) {
  int64_t num_masks = 0;
  int64_t matched = 0;
  for (const int64_t count : target_counts) {
    num_masks += count;
    matched += std::min(count, num_queries);
  }
  const int64_t queries =
      static_cast<int64_t>(target_counts.size()) * num_queries;
  return {static_cast<double>(std::max<int64_t>(1, num_masks)),
          static_cast<double>(matched) +
              static_cast<double>(queries - matched) * no_object_weight};
}

std::vector<int64_t> TargetCounts(const std::vector<MaskTarget>& targets) {
  std::vector<int64_t> counts;
  for (const MaskTarget& target : targets) {
    counts.push_back(target.labels.size(0));
  }
  return counts;
}

}  // namespace mask2former
