#include "mask2former/model/weights/view_tensor.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "mask2former/common/scalar_type.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {

absl::StatusOr<at::Tensor> ViewTensor(const RawTensor& tensor) {
  M2F_ASSIGN_OR_RETURN(const at::ScalarType type, ScalarTypeOf(tensor.type));
  const at::TensorOptions options = at::TensorOptions().dtype(type);
  if (tensor.num_elements() == 0) return at::empty(tensor.shape, options);
  const uintptr_t address = reinterpret_cast<uintptr_t>(tensor.data.data());
  if (address % ElementSize(tensor.type) != 0) {
    const at::Tensor copy = at::empty(tensor.shape, options);
    if (tensor.is_contiguous()) {
      std::memcpy(copy.mutable_data_ptr(), tensor.data.data(),
                  tensor.num_bytes());
    } else {
      const std::string bytes = ContiguousBytes(tensor);
      std::memcpy(copy.mutable_data_ptr(), bytes.data(), bytes.size());
    }
    return copy;
  }
  return at::from_blob(
      const_cast<char*>(tensor.data.data()), tensor.shape, tensor.strides,
      [owner = tensor.owner](void*) {}, options);
}

}  // namespace mask2former
