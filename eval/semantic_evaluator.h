#ifndef MASK2FORMER_EVAL_SEMANTIC_EVALUATOR_H_
#define MASK2FORMER_EVAL_SEMANTIC_EVALUATOR_H_

#include <ATen/core/Tensor.h>

#include <opencv2/core/mat.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "mask2former/eval/cityscapes_metrics.h"

namespace mask2former {

// Scores the label maps of a network against Cityscapes ground truth, image by
// image: what the official program would say of the same predictions written to
// disk. Add() may be called from several threads at once; the result depends
// neither on their number nor on the order of images.
//
//   SemanticEvaluator evaluator;
//   for (...) {
//     M2F_RETURN_IF_ERROR(evaluator.Add(name, label_map, label_ids,
//     instances));
//   }
//   LOG(INFO) << evaluator.Table();
//
// On several processes: sum metrics().ToSums() over them, then
// SemanticEvaluator(CityscapesMetrics::FromSums(sums)).
class SemanticEvaluator {
 public:
  SemanticEvaluator() = default;
  explicit SemanticEvaluator(const CityscapesMetrics& metrics)
      : metrics_(metrics) {}

  // Adds one image.
  //
  //   name          for messages
  //   prediction    [H, W]  CV_8UC1, train ids 0..18; 255 for "no class", which
  //                         is wrong everywhere
  //   ground_truth  [H, W]  CV_8UC1, the labelIds image
  //   instances     [H, W]  CV_16UC1, the instanceIds image; empty: all nIoU
  //                         become undefined
  //
  // Returns InvalidArgument, which begins with `name`, and adds nothing if
  // types or sizes are different or a value is none of these.
  absl::Status Add(absl::string_view name, const cv::Mat& prediction,
                   const cv::Mat& ground_truth, const cv::Mat& instances);

  // The same for a prediction [H, W] of uint8 or int64 on any device. Throws
  // c10::Error for another shape or type.
  absl::Status Add(absl::string_view name, const at::Tensor& prediction,
                   const cv::Mat& ground_truth, const cv::Mat& instances);

  CityscapesMetrics metrics() const;
  CityscapesScores Compute() const { return metrics().Compute(); }

  // The class and the category table of report.h.
  std::string Table() const;

 private:
  mutable absl::Mutex mutex_;
  CityscapesMetrics metrics_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_SEMANTIC_EVALUATOR_H_
