#ifndef MASK2FORMER_BACKBONE_BUILD_BACKBONE_H_
#define MASK2FORMER_BACKBONE_BUILD_BACKBONE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "mask2former/backbone/backbone.h"
#include "mask2former/backbone/backbone_config.pb.h"

namespace mask2former {

// Makes the backbone that `config` selects, with random weights.
//
// Returns InvalidArgument if `config` selects none or is out of range.
absl::StatusOr<std::shared_ptr<Backbone>> BuildBackbone(
    const BackboneConfig& config);

}  // namespace mask2former

#endif  // MASK2FORMER_BACKBONE_BUILD_BACKBONE_H_
