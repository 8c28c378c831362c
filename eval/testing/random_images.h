#ifndef MASK2FORMER_EVAL_TESTING_RANDOM_IMAGES_H_
#define MASK2FORMER_EVAL_TESTING_RANDOM_IMAGES_H_

// Pictures of 48 x 96 pixels and predictions for them that the golden scripts
// (tools/goldens/eval*.py) draw as well, from u(name, i) of
// common/testing/reference_values.h.

#include <cstdint>
#include <map>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {

// Integers from u(name, 0), u(name, 1), ...; up to 200.
class Draws {
 public:
  static constexpr int kHeight = 48;
  static constexpr int kWidth = 96;

  explicit Draws(const std::string& name);

  // 0 .. n - 1.
  int operator()(int n) { return static_cast<int>(values_[next_++] * n); }

  cv::Rect Rectangle();

 private:
  std::vector<double> values_;
  int next_ = 0;
};

// A few rectangles of labels and instances, ignored ones and groups among them,
// and a prediction with a few wrong rectangles.
ExampleImage RandomImage(const std::string& name);

// Twelve predicted instances of such a picture: regions of it with a rectangle
// less or more, and rectangles; scores with ties, some empty.
std::vector<ExampleInstance> RandomPredictions(const std::string& name,
                                               const cv::Mat& instances);

// A segmentation of such a picture: its regions, most with their class, and
// rectangles of other classes and of nothing. `categories` by id.
struct RandomSegmentation {
  cv::Mat ids;  // CV_32SC1
  std::map<int, int> categories;
};
RandomSegmentation RandomSegments(const std::string& name,
                                  const cv::Mat& instances);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_TESTING_RANDOM_IMAGES_H_
