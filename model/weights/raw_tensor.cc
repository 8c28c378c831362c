#include "mask2former/model/weights/raw_tensor.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mask2former {
namespace {

constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();
// NumPy's and LibTorch's limit.
constexpr size_t kMaxDimensions = 64;

int64_t SaturatingProduct(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kLargest : product;
}

void CopyRows(const RawTensor& tensor, size_t dimension, const char* from,
              char*& to) {
  const int64_t size = ElementSize(tensor.type);
  const int64_t count = tensor.shape[dimension];
  const int64_t stride = tensor.strides[dimension] * size;
  const bool last = dimension + 1 == tensor.shape.size();
  for (int64_t i = 0; i < count; ++i) {
    if (last) {
      std::memcpy(to, from + i * stride, size);
      to += size;
    } else {
      CopyRows(tensor, dimension + 1, from + i * stride, to);
    }
  }
}

}  // namespace

int64_t RawTensor::num_elements() const {
  // Before multiplying: beside a 0, the others may be of any size.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

bool RawTensor::is_contiguous() const {
  if (num_elements() == 0) return true;
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != stride) return false;
    stride *= shape[i];
  }
  return true;
}

absl::StatusOr<RawTensor> MakeRawTensor(ElementType type,
                                        std::vector<int64_t> shape,
                                        std::vector<int64_t> strides,
                                        int64_t offset,
                                        absl::string_view storage,
                                        std::shared_ptr<const void> owner) {
  const auto refused = [&](absl::string_view reason) {
    return absl::InvalidArgumentError(absl::StrCat(
        "shape [", absl::StrJoin(shape, ", "), "] with strides [",
        absl::StrJoin(strides, ", "), "] from element ", offset, " of ",
        storage.size(), " bytes of ", ElementTypeName(type), " ", reason));
  };
  if (shape.size() > kMaxDimensions || shape.size() != strides.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a tensor has ", shape.size(), " sizes and ", strides.size(),
        " strides; they must be as many, at most ", kMaxDimensions));
  }
  const int64_t size = ElementSize(type);
  const int64_t available = static_cast<int64_t>(storage.size()) / size;
  int64_t count = 1;
  int64_t last = offset;  // Of all elements' indices the largest.
  bool overflows = offset < 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0 || strides[i] < 0) return refused("has negative numbers");
    overflows |= __builtin_mul_overflow(count, shape[i], &count);
  }
  // Products of sizes of which one is 0 may still be too large.
  for (const int64_t extent : shape) {
    if (extent == 0) count = 0, overflows = offset < 0;
  }
  if (overflows) return refused("is too large");
  if (count > 0) {
    for (size_t i = 0; i < shape.size(); ++i) {
      int64_t step = 0;
      overflows |= __builtin_mul_overflow(shape[i] - 1, strides[i], &step);
      overflows |= __builtin_add_overflow(last, step, &last);
    }
    if (overflows || last >= available) return refused("reaches beyond them");
    if (count > available) return refused("repeats elements");
  }
  RawTensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  tensor.strides = std::move(strides);
  if (count > 0) {
    tensor.data = storage.substr(offset * size, (last - offset + 1) * size);
  }
  tensor.owner = std::move(owner);
  return tensor;
}

std::vector<int64_t> RowMajorStrides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) {
    strides[i - 1] =
        SaturatingProduct(strides[i], std::max<int64_t>(shape[i], 1));
  }
  return strides;
}

std::vector<int64_t> ColumnMajorStrides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = 1; i < shape.size(); ++i) {
    strides[i] =
        SaturatingProduct(strides[i - 1], std::max<int64_t>(shape[i - 1], 1));
  }
  return strides;
}

std::string ContiguousBytes(const RawTensor& tensor) {
  if (tensor.is_contiguous()) {
    return std::string(tensor.data.substr(0, tensor.num_bytes()));
  }
  std::string bytes(tensor.num_bytes(), '\0');
  char* to = &bytes[0];
  CopyRows(tensor, 0, tensor.data.data(), to);
  return bytes;
}

}  // namespace mask2former
