#ifndef MASK2FORMER_COMMON_ELEMENT_TYPE_H_
#define MASK2FORMER_COMMON_ELEMENT_TYPE_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace mask2former {

// What a tensor in a file is made of. Needs no LibTorch.
enum class ElementType {
  kFloat64,
  kFloat32,
  kFloat16,
  kBFloat16,
  kInt64,
  kInt32,
  kInt16,
  kInt8,
  kUInt64,
  kUInt32,
  kUInt16,
  kUInt8,
  kBool,
  kComplex64,
  kComplex128,
};

// Bytes of one element.
int64_t ElementSize(ElementType type);

// The name that safetensors files use: "F32", "BF16", "BOOL", ..
absl::string_view ElementTypeName(ElementType type);

// Nothing for names that are none.
std::optional<ElementType> ElementTypeFromName(absl::string_view name);

// All names, with commas.
absl::string_view ElementTypeNames();

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_ELEMENT_TYPE_H_
