#include "mask2former/eval/generic_scores.h"

#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/text_color.h"

namespace mask2former {

GenericScores GenericCityscapesScores(const ConfusionMatrix& confusion) {
  std::vector<int64_t> counts;
  for (int truth = 0; truth < kCityscapesClasses; ++truth) {
    for (int predicted = 0; predicted < kCityscapesClasses; ++predicted) {
      counts.push_back(confusion.count(CityscapesClass(truth).id,
                                       CityscapesClass(predicted).id));
    }
  }
  GenericMetrics metrics(kCityscapesClasses);
  metrics.AddCounts(counts);
  return metrics.Compute();
}

std::string GenericLine(const GenericScores& scores) {
  const auto percent = [](double score) {
    return NumberText(100 * score, 0, 4);
  };
  return absl::StrCat("mIoU ", percent(scores.mean_iou), "  fwIoU ",
                      percent(scores.frequency_weighted_iou), "  mACC ",
                      percent(scores.mean_accuracy), "  pACC ",
                      percent(scores.pixel_accuracy), " (percent)\n");
}

}  // namespace mask2former
