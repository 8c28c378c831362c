#include "mask2former/train/logging/console.h"

#include <utility>

#include "absl/strings/str_format.h"

namespace mask2former {
namespace {

double MedianOf(const std::vector<StepRecord>& records,
                double StepRecord::*field) {
  std::vector<double> values;
  for (const StepRecord& record : records) values.push_back(record.*field);
  return Median(std::move(values));
}

}  // namespace

Metrics ToMetrics(const StepRecord& record) {
  return {{"loss", record.loss},
          {"loss/class", record.loss_class},
          {"loss/mask", record.loss_mask},
          {"loss/dice", record.loss_dice},
          {"loss/auxiliary", record.loss_auxiliary},
          {"lr", record.lr},
          {"gradient_norm", record.gradient_norm},
          {"data_seconds", record.data_seconds},
          {"step_seconds", record.step_seconds},
          {"memory_bytes", static_cast<double>(record.memory_bytes)}};
}

void Console::Add(const StepRecord& record) {
  progress_.Add(record.step_seconds);
  records_.push_back(record);
}

StepRecord Console::Window() const {
  StepRecord window = records_.empty() ? StepRecord() : records_.back();
  for (double StepRecord::*field :
       {&StepRecord::loss, &StepRecord::loss_class, &StepRecord::loss_mask,
        &StepRecord::loss_dice, &StepRecord::loss_auxiliary,
        &StepRecord::gradient_norm, &StepRecord::data_seconds,
        &StepRecord::step_seconds}) {
    window.*field = MedianOf(records_, field);
  }
  return window;
}

std::string Console::Line() {
  const StepRecord window = Window();
  records_.clear();
  const auto remaining = progress_.RemainingSeconds(window.iterations_done);
  return absl::StrFormat(
      "iter %d/%d  eta %s  loss %.4g  class %.4g  mask %.4g  dice %.4g  "
      "aux %.4g  lr %.6g  norm %.3g  step %.3f s  data %.3f s  "
      "memory %d MiB",
      window.iterations_done, progress_.max_iter(),
      remaining.has_value() ? FormatDuration(*remaining) : "unknown",
      window.loss, window.loss_class, window.loss_mask, window.loss_dice,
      window.loss_auxiliary, window.lr, window.gradient_norm,
      window.step_seconds, window.data_seconds, window.memory_bytes >> 20);
}

}  // namespace mask2former
