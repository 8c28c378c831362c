#include "mask2former/common/tensor_shape.h"

#include <c10/util/Exception.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace mask2former {
namespace {

std::string ToString(at::IntArrayRef sizes) {
  std::string text = "[";
  for (size_t i = 0; i < sizes.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ",
                    sizes[i] == kAny ? "*" : absl::StrCat(sizes[i]));
  }
  return text + "]";
}

}  // namespace

void CheckShape(const at::Tensor& tensor, const char* name,
                at::IntArrayRef sizes) {
  TORCH_CHECK(tensor.defined(), name, " must have shape ", ToString(sizes),
              ", got an undefined tensor");
  bool equal = tensor.dim() == static_cast<int64_t>(sizes.size());
  for (size_t i = 0; equal && i < sizes.size(); ++i) {
    equal = sizes[i] == kAny || sizes[i] == tensor.size(i);
  }
  TORCH_CHECK(equal, name, " must have shape ", ToString(sizes), ", got ",
              ToString(tensor.sizes()));
}

}  // namespace mask2former
