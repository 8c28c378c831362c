#ifndef MASK2FORMER_DATA_TRANSFORMS_FLIP_H_
#define MASK2FORMER_DATA_TRANSFORMS_FLIP_H_

#include <opencv2/core/mat.hpp>

namespace mask2former {

// Mirrors left to right, in place: column x becomes W - 1 - x.
//
//   image  [H, W] of any type
void FlipHorizontally(cv::Mat& image);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TRANSFORMS_FLIP_H_
