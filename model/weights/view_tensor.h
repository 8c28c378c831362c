#ifndef MASK2FORMER_MODEL_WEIGHTS_VIEW_TENSOR_H_
#define MASK2FORMER_MODEL_WEIGHTS_VIEW_TENSOR_H_

#include <ATen/core/Tensor.h>

#include "absl/status/statusor.h"
#include "mask2former/model/weights/raw_tensor.h"

namespace mask2former {

// The tensor as one of LibTorch's, on the CPU, with the strides it has. Not to
// be written to: shares the memory of `tensor`, which it keeps, unless that is
// not aligned for the type; then it is a copy.
//
// Returns InvalidArgument for types that ScalarTypeOf() does not know.
absl::StatusOr<at::Tensor> ViewTensor(const RawTensor& tensor);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_VIEW_TENSOR_H_
