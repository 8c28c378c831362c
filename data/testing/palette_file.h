#ifndef MASK2FORMER_DATA_TESTING_PALETTE_FILE_H_
#define MASK2FORMER_DATA_TESTING_PALETTE_FILE_H_

#include <opencv2/core/mat.hpp>
#include <string>

namespace mask2former {

// A palette PNG whose pixels store `indices`, [H, W] CV_8UC1 below 2^bits, and
// whose colour i is (10 i, 20 i, 30 i) modulo 256. `bits` is 1, 2, 4 or 8.
std::string PalettePng(const cv::Mat& indices, int bits);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TESTING_PALETTE_FILE_H_
