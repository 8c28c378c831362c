#ifndef MASK2FORMER_COMMON_TENSOR_SHAPE_H_
#define MASK2FORMER_COMMON_TENSOR_SHAPE_H_

#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <cstdint>

namespace mask2former {

// In CheckShape: any size.
inline constexpr int64_t kAny = -1;

// Throws c10::Error, "`name` must have shape [..], got [..]", unless `tensor`
// has the given sizes.
void CheckShape(const at::Tensor& tensor, const char* name,
                at::IntArrayRef sizes);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TENSOR_SHAPE_H_
