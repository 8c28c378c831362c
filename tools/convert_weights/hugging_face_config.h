#ifndef MASK2FORMER_TOOLS_CONVERT_WEIGHTS_HUGGING_FACE_CONFIG_H_
#define MASK2FORMER_TOOLS_CONVERT_WEIGHTS_HUGGING_FACE_CONFIG_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/model/model_config.pb.h"

namespace mask2former {

// The config.json with which transformers' Mask2FormerForUniversalSegmentation
// is the model that `config` describes.
//
//   class_names  by class number; empty: LABEL_0, LABEL_1, ..
//
// Returns InvalidArgument, naming the field, for settings that transformers
// has no counterpart of.
absl::StatusOr<std::string> HuggingFaceConfig(
    const ModelConfig& config, const std::vector<std::string>& class_names);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_CONVERT_WEIGHTS_HUGGING_FACE_CONFIG_H_
