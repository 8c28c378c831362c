#ifndef MASK2FORMER_COMMON_SAFETENSORS_HEADER_H_
#define MASK2FORMER_COMMON_SAFETENSORS_HEADER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/element_type.h"

namespace mask2former {

// A tensor of a safetensors file.
struct SafetensorsEntry {
  std::string name;
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> shape;
  absl::string_view data;  // Row-major, little-endian.
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // In the order of their data.
  std::map<std::string, std::string> metadata;
};

// Finds the tensors in the bytes of a safetensors file, without copying them.
//
// Nothing in the file is trusted: sizes are compared with the file's before
// memory is taken. As in the reference reader, the data must be used up
// entirely, without holes or overlap, and names must differ.
//
// Returns InvalidArgument with tensor and reason for a malformed file.
//
// Source: https://huggingface.co/docs/safetensors, section Format.
absl::StatusOr<SafetensorsHeader> ParseSafetensors(absl::string_view file);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_SAFETENSORS_HEADER_H_
