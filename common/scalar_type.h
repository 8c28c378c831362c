#ifndef MASK2FORMER_COMMON_SCALAR_TYPE_H_
#define MASK2FORMER_COMMON_SCALAR_TYPE_H_

#include <c10/core/ScalarType.h>

#include "absl/status/statusor.h"
#include "mask2former/common/element_type.h"

namespace mask2former {

// LibTorch's name of an element type, and back.
//
// Returns InvalidArgument, with those that are supported, for complex numbers
// and for types that have no counterpart.
absl::StatusOr<at::ScalarType> ScalarTypeOf(ElementType type);
absl::StatusOr<ElementType> ElementTypeOf(at::ScalarType type);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_SCALAR_TYPE_H_
