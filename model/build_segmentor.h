#ifndef MASK2FORMER_MODEL_BUILD_SEGMENTOR_H_
#define MASK2FORMER_MODEL_BUILD_SEGMENTOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "mask2former/model/model_config.pb.h"
#include "mask2former/model/segmentor.h"

namespace mask2former {

// Makes the model that `config` describes, freshly initialised from LibTorch's
// default generator, in training mode.
//
// Returns InvalidArgument, naming the field below `model`, if a piece is
// missing, out of range, or does not fit its neighbour.
absl::StatusOr<std::shared_ptr<Segmentor>> BuildSegmentor(
    const ModelConfig& config);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_BUILD_SEGMENTOR_H_
