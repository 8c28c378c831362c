#ifndef MASK2FORMER_EVAL_REPORT_H_
#define MASK2FORMER_EVAL_REPORT_H_

// Scores as text, as the official program prints them.

#include <string>

#include "mask2former/eval/cityscapes_metrics.h"
#include "mask2former/eval/confusion_matrix.h"
#include "mask2former/eval/text_color.h"

namespace mask2former {

// A line per class with IoU and nIoU, fractions of three digits, between a
// heading and the averages:
//
//   classes          IoU      nIoU
//   --------------------------------
//   road          : 0.893      nan
//   ...
//   --------------------------------
//   Score Average : 0.546    0.360
//   --------------------------------
std::string ClassTable(const CityscapesScores& scores,
                       TextColor color = TextColor::kOff);

// The same of the categories but "void".
std::string CategoryTable(const CityscapesScores& scores,
                          TextColor color = TextColor::kOff);

// Shares of the predictions per ground-truth label, a line for each label that
// occurs, columns by label id headed by the first letter. A backspace stands
// before each cell, for a terminal to swallow the blank before it.
std::string ConfusionTable(const ConfusionMatrix& confusion,
                           TextColor color = TextColor::kOff);

// All that the official program prints after its count of images: the three
// tables, byte for byte.
std::string OfficialReport(const CityscapesMetrics& metrics,
                           TextColor color = TextColor::kOff);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_REPORT_H_
