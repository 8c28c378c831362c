#include "mask2former/data/transforms/flip.h"

#include <opencv2/core.hpp>

namespace mask2former {

void FlipHorizontally(cv::Mat& image) { cv::flip(image, image, 1); }

}  // namespace mask2former
