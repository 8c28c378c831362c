#ifndef MASK2FORMER_MODEL_WEIGHTS_OFFICIAL_NAMES_H_
#define MASK2FORMER_MODEL_WEIGHTS_OFFICIAL_NAMES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/model/weights/raw_tensor.h"
#include "mask2former/model/weights/weight_file.h"

namespace mask2former {

// A tensor under its official name, made of parts that follow each other along
// dimension 0.
struct OfficialTensor {
  std::vector<RawTensor> parts;  // At least one; types and shapes agree.

  std::vector<int64_t> shape() const;
  ElementType type() const { return parts[0].type; }
};

// The weights of a file under the names of the official state dict.
struct OfficialWeights {
  std::string naming;  // Whose names the file has: "Hugging Face", ..
  // Whether they are those of an image classifier, which start a backbone.
  bool backbone_only = false;
  std::map<std::string, OfficialTensor> tensors;
  std::vector<IgnoredEntry> ignored;  // With the file's names.
};

// Tells by the names that are there, never by a version in the file, whose
// they are:
//
//   official Mask2Former   of all releases: "static_query" is query_feat; what
//                          is neither under predictor nor pixel_decoder is the
//                          pixel decoder's
//   Hugging Face           with a Swin or a ResNet backbone; its separate
//                          query, key and value become parts of one tensor
//   torchvision, timm      ResNet
//   detectron2             a backbone without the prefix "backbone."
//   Swin, timm             timm counts downsampling with the stage after it
//
// A "module." before all names is dropped. Names that belong to none stay.
//
// Returns InvalidArgument if two names mean the same, or if parts are missing
// or do not fit together.
absl::StatusOr<OfficialWeights> ToOfficialNames(const WeightFile& file);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_OFFICIAL_NAMES_H_
