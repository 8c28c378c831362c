#ifndef MASK2FORMER_EVAL_TESTING_COLOR_SEGMENTOR_H_
#define MASK2FORMER_EVAL_TESTING_COLOR_SEGMENTOR_H_

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>

namespace mask2former {

class Segmentor;

// A Segmentor that reads the class off the red channel, without having learnt
// anything: tests know what it must say. A pixel whose red is
// ColorOfClass(c) has class c, exactly where 4 x 4 blocks have one colour.
//
// It has as many queries as classes, one parameter, and throws c10::Error for a
// picture whose upper left pixel is 255.
std::shared_ptr<Segmentor> MakeColorSegmentor(int64_t num_classes = 19);

// For up to 20 classes.
constexpr uint8_t ColorOfClass(int train_id) {
  return static_cast<uint8_t>(10 * train_id);
}

// [H, W] CV_8UC1 train ids -> [H, W] CV_8UC3 of ColorOfClass() in red.
cv::Mat PaintClasses(const cv::Mat& train_ids);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_TESTING_COLOR_SEGMENTOR_H_
