#ifndef MASK2FORMER_COMMON_SAFETENSORS_H_
#define MASK2FORMER_COMMON_SAFETENSORS_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mask2former {

// Named tensors and what is to be known about them.
struct SafetensorsFile {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

// Reads a .safetensors file into CPU tensors, each with memory of its own.
// dtypes: those of ScalarTypeOf(). What a file may hold: ParseSafetensors().
//
// Returns InvalidArgument with path, tensor and reason for a malformed file,
// NotFound and the like if it cannot be read.
absl::StatusOr<SafetensorsFile> ReadSafetensors(const std::string& path);

// Writes `tensors`, of any device and strides, atomically (common/file_io.h).
// Contiguous CPU tensors are written from where they lie, without a copy.
//
// Equal arguments give equal bytes: names are sorted in the header; the data is
// ordered by size of element, largest first, then by name, and starts at a
// multiple of 8, so that every tensor is aligned.
//
// Returns InvalidArgument for an undefined tensor, a dtype that is not in the
// list above, the name "__metadata__" or text that is not UTF-8; else what
// WriteFileAtomically() returns.
absl::Status WriteSafetensors(
    const std::string& path, const std::map<std::string, at::Tensor>& tensors,
    const std::map<std::string, std::string>& metadata = {});

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_SAFETENSORS_H_
