#ifndef MASK2FORMER_DATA_CITYSCAPES_PANOPTIC_H_
#define MASK2FORMER_DATA_CITYSCAPES_PANOPTIC_H_

// What the official preparation writes about classes and pictures into its
// file in COCO's panoptic format, for the ground truth and for predictions.
//
// Source: createPanopticImgs of the official scripts.

#include <nlohmann/json_fwd.hpp>
#include <opencv2/core/types.hpp>
#include <string>

#include "absl/strings/string_view.h"

namespace mask2former {

// "categories": the 19 evaluated classes in the order of label ids, each with
// id (the label id), name, color [R, G, B], supercategory and isthing (0, 1).
nlohmann::json CityscapesPanopticJsonCategories();

// An entry of "images": id, width, height and file_name.
nlohmann::json PanopticJsonImage(absl::string_view id, const cv::Size& size,
                                 absl::string_view file_name);

// The file_name of the picture {city}_{seq}_{frame} in the official file:
// "{city}_{seq}_{frame}_gtFine_leftImg8bit.png". No such picture exists.
std::string CityscapesPanopticPictureName(absl::string_view id);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_CITYSCAPES_PANOPTIC_H_
