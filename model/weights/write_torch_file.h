#ifndef MASK2FORMER_MODEL_WEIGHTS_WRITE_TORCH_FILE_H_
#define MASK2FORMER_MODEL_WEIGHTS_WRITE_TORCH_FILE_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "absl/status/status.h"

namespace mask2former {

// Writes {"model": OrderedDict of `tensors`} as torch.save() does, atomically,
// so that torch.load(.., weights_only=True) and detectron2's checkpointer read
// it.
//
//   versions   module name -> version, which the official loader looks at
//              ("sem_seg_head" below 2 has its parameters renamed)
//
// The same tensors give the same bytes.
//
// Returns InvalidArgument for types that have no storage class in LibTorch
// (unsigned ones over 8 bits) and names of over 1000 bytes.
absl::Status WriteTorchFile(const std::string& path,
                            const std::map<std::string, at::Tensor>& tensors,
                            const std::map<std::string, int>& versions);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_WRITE_TORCH_FILE_H_
