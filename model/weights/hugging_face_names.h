#ifndef MASK2FORMER_MODEL_WEIGHTS_HUGGING_FACE_NAMES_H_
#define MASK2FORMER_MODEL_WEIGHTS_HUGGING_FACE_NAMES_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace mask2former {

// The tensors of a whole model under the names of transformers'
// Mask2FormerForUniversalSegmentation, version 4: the inverse of what
// ToOfficialNames() does. They share memory with `official`.
//
// Returns InvalidArgument with the names that have no counterpart.
absl::StatusOr<std::map<std::string, at::Tensor>> ToHuggingFaceNames(
    const std::map<std::string, at::Tensor>& official);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_HUGGING_FACE_NAMES_H_
