#ifndef MASK2FORMER_EVAL_PAIR_COUNTS_H_
#define MASK2FORMER_EVAL_PAIR_COUNTS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>

namespace mask2former {

// Pixels by (byte of one image, byte of the other): [256 * first + second].
// There are counts for every byte, so none is out of range.
using PairCounts = std::array<uint32_t, 256 * 256>;

// Counts the pairs of two CV_8UC1 images of the same size, of fewer than 2^32
// pixels.
//
// Throws cv::Exception of other images.
std::unique_ptr<PairCounts> CountPairs(const cv::Mat& first,
                                       const cv::Mat& second);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PAIR_COUNTS_H_
