#ifndef MASK2FORMER_COMMON_CUDA_TENSOR_POINTERS_H_
#define MASK2FORMER_COMMON_CUDA_TENSOR_POINTERS_H_

// From tensors to the raw pointers that kernels take.

#include <ATen/core/Tensor.h>
#include <ATen/ops/clone.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Exception.h>
#include <c10/util/Half.h>

#include <cstdint>

#include "mask2former/common/cuda/half.h"

namespace mask2former {

// The kernels' name for a C++ type of LibTorch's.
template <typename T>
struct KernelTypeOf {
  using Type = T;
};

template <>
struct KernelTypeOf<c10::Half> {
  using Type = Float16;
};

template <>
struct KernelTypeOf<c10::BFloat16> {
  using Type = BFloat16;
};

template <typename T>
using KernelType = typename KernelTypeOf<T>::Type;

// Contiguous, and at an address that vectors of 16 bytes may be loaded from.
inline at::Tensor Packed(const at::Tensor& tensor) {
  const at::Tensor result = tensor.contiguous();
  return reinterpret_cast<uintptr_t>(result.const_data_ptr()) % 16 == 0
             ? result
             : result.clone();
}

// Calls run(number) with a number of the C++ type of `tensor`, whose name the
// error has if it is neither float, half nor bfloat16.
template <typename Run>
void DispatchType(const at::Tensor& tensor, const char* name, const Run& run) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return run(float());
    case at::kHalf:
      return run(c10::Half());
    case at::kBFloat16:
      return run(c10::BFloat16());
    default:
      TORCH_CHECK(false, name, " must be Float, Half or BFloat16 on CUDA, got ",
                  tensor.scalar_type());
  }
}

// The address of a contiguous tensor of type scalar_t.
template <typename scalar_t>
const KernelType<scalar_t>* Read(const at::Tensor& tensor) {
  return reinterpret_cast<const KernelType<scalar_t>*>(
      tensor.const_data_ptr<scalar_t>());
}

template <typename scalar_t>
KernelType<scalar_t>* Write(const at::Tensor& tensor) {
  return reinterpret_cast<KernelType<scalar_t>*>(
      tensor.mutable_data_ptr<scalar_t>());
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_CUDA_TENSOR_POINTERS_H_
