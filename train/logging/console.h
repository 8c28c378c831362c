#ifndef MASK2FORMER_TRAIN_LOGGING_CONSOLE_H_
#define MASK2FORMER_TRAIN_LOGGING_CONSOLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "mask2former/train/logging/metrics.h"
#include "mask2former/train/logging/progress.h"

namespace mask2former {

// What is told of one training iteration. Losses are weighted.
struct StepRecord {
  int64_t iterations_done = 0;  // This one included.
  double loss = 0;              // Their sum.
  double loss_class = 0;        // Of the last layer.
  double loss_mask = 0;
  double loss_dice = 0;
  double loss_auxiliary = 0;  // Of all other layers together.
  double lr = 0;              // Outside the backbone.
  double gradient_norm = 0;   // Before clipping.
  double data_seconds = 0;    // Waiting for images.
  double step_seconds = 0;    // The whole iteration.
  int64_t memory_bytes = 0;   // PeakMemory().
};

// The fields by name: loss, loss/class, loss/mask, loss/dice, loss/auxiliary,
// lr, gradient_norm, data_seconds, step_seconds, memory_bytes.
Metrics ToMetrics(const StepRecord& record);

// Collects iterations and tells of them in one line:
//
//   iter 40/90000  eta 18:43:12  loss 41.52  class 1.93  mask 0.71  dice 1.62
//   aux 37.26  lr 9.99649e-05  norm 12.3  step 0.749 s  data 0.004 s
//   memory 9876 MiB
//
// Losses, norm and times are medians over the iterations since the last line,
// which hides no trend and shows no outlier; lr, memory and iter are the
// latest.
class Console {
 public:
  explicit Console(int64_t max_iter) : progress_(max_iter) {}

  void Add(const StepRecord& record);

  // The medians of what has been added since the last call of Line(), for the
  // files of metrics. All fields NaN or 0 if nothing was.
  StepRecord Window() const;

  // The line about Window(), which then begins anew.
  std::string Line();

 private:
  Progress progress_;
  std::vector<StepRecord> records_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_LOGGING_CONSOLE_H_
