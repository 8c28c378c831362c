#ifndef MASK2FORMER_MODEL_WEIGHTS_NAME_TABLES_H_
#define MASK2FORMER_MODEL_WEIGHTS_NAME_TABLES_H_

#include "absl/types/span.h"
#include "mask2former/model/weights/name_rule.h"

namespace mask2former {

// Left sides: the names of others. Right sides: the official names, which the
// modules here have, too.

// transformers' Mask2FormerForUniversalSegmentation (names of versions 4 and 5,
// whose files are named as in 4), with a Swin, respectively a ResNet backbone.
absl::Span<const NameRule> HuggingFaceSwinNames();
absl::Span<const NameRule> HuggingFaceResNetNames();

// torchvision's and timm's ResNet.
absl::Span<const NameRule> TorchvisionNames();

// detectron2's backbones alone: stem.*, res2.0.conv1.weight, ..
absl::Span<const NameRule> BackboneNames();

// The official Swin files and timm's.
absl::Span<const NameRule> SwinNames();

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_NAME_TABLES_H_
