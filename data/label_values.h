#ifndef MASK2FORMER_DATA_LABEL_VALUES_H_
#define MASK2FORMER_DATA_LABEL_VALUES_H_

#include <array>
#include <opencv2/core/mat.hpp>
#include <string>

#include "absl/status/status.h"
#include "mask2former/data/data_config.pb.h"

namespace mask2former {

// The train id, 0..18 or 255, of each value of a label image of Cityscapes;
// kOutsideCityscapes where the value is outside the table (label ids 0..33,
// train ids 0..18 and 255).
inline constexpr int kOutsideCityscapes = -1;
std::array<int, 256> CityscapesTrainIds(DataConfig::LabelSource source);

// Whether a label image, [H, W] CV_8UC1, holds values of the table only.
//
// Returns InvalidArgument if it does not; the message names `path`, the values
// and where the first is.
absl::Status CheckCityscapesLabel(const cv::Mat& label, const std::string& path,
                                  DataConfig::LabelSource source);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_LABEL_VALUES_H_
