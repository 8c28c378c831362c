#ifndef MASK2FORMER_DATA_TRANSFORMS_CROP_H_
#define MASK2FORMER_DATA_TRANSFORMS_CROP_H_

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>

#include "mask2former/data/sample_random.h"
#include "mask2former/data/transforms/resized_size.h"

namespace mask2former {

// A random rectangle of `crop` pixels in a picture of `size`; where the picture
// is smaller, all of it. Draws the upper edge, then the left one, uniform over
// all places that fit.
cv::Rect DrawCrop(const ImageSize& size, const ImageSize& crop,
                  SampleRandom& random);

// Whether several classes are present and none has `max_share` or more of the
// pixels that are not ignored (255). False if all pixels are ignored.
//
//   label  [H, W] CV_8UC1 train ids
bool IsVariedCrop(const cv::Mat& label, double max_share);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TRANSFORMS_CROP_H_
