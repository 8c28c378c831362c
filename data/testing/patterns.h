#ifndef MASK2FORMER_DATA_TESTING_PATTERNS_H_
#define MASK2FORMER_DATA_TESTING_PATTERNS_H_

// Pictures that any language can compute, for comparison with reference
// libraries: tools/goldens/data.py and data_tasks.py make the same
// ones.

#include <opencv2/core/mat.hpp>

namespace mask2former {

// [H, W] CV_8U of 1 or 3 channels: every byte at random.
cv::Mat NoisePattern(int height, int width, int channels);

// [H, W] CV_8UC1: blocks of 8 x 8 pixels of train ids 0..18 and 255.
cv::Mat LabelPattern(int height, int width);

// [H, W] CV_16UC1: blocks of 16 x 16 pixels of instance ids: stuff, things,
// groups of things and labels that are not evaluated.
cv::Mat InstanceIdPattern(int height, int width);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TESTING_PATTERNS_H_
