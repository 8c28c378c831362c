#include "mask2former/backbone/build_backbone.h"

#include "absl/status/status.h"
#include "mask2former/backbone/resnet.h"
#include "mask2former/backbone/swin.h"

namespace mask2former {

absl::StatusOr<std::shared_ptr<Backbone>> BuildBackbone(
    const BackboneConfig& config) {
  switch (config.kind_case()) {
    case BackboneConfig::kResnet:
      return ResNet::Create(config.resnet());
    case BackboneConfig::kSwin:
      return Swin::Create(config.swin());
    case BackboneConfig::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("backbone: set one of resnet, swin");
}

}  // namespace mask2former
