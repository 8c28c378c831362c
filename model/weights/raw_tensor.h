#ifndef MASK2FORMER_MODEL_WEIGHTS_RAW_TENSOR_H_
#define MASK2FORMER_MODEL_WEIGHTS_RAW_TENSOR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/element_type.h"

namespace mask2former {

// A tensor where it lies, in a mapped file or in memory. Needs no LibTorch.
struct RawTensor {
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // In elements, not negative.
  // From the first element to the end of the last. Not aligned.
  absl::string_view data;
  std::shared_ptr<const void> owner;  // Keeps `data`.

  int64_t num_elements() const;
  int64_t num_bytes() const { return num_elements() * ElementSize(type); }
  bool is_contiguous() const;  // Row-major, without gaps.
};

// The tensor whose first element is element `offset` of `storage`.
//
// Returns InvalidArgument if an element lies outside, if sizes are negative or
// overflow, or if there are more elements than the storage has (a tensor that
// repeats itself could otherwise ask for any amount of memory).
absl::StatusOr<RawTensor> MakeRawTensor(ElementType type,
                                        std::vector<int64_t> shape,
                                        std::vector<int64_t> strides,
                                        int64_t offset,
                                        absl::string_view storage,
                                        std::shared_ptr<const void> owner);

// Strides of `shape` in row-major, respectively column-major order. Sizes as
// MakeRawTensor() checks them; overflowing strides are cut off to the largest
// number, which it refuses.
std::vector<int64_t> RowMajorStrides(const std::vector<int64_t>& shape);
std::vector<int64_t> ColumnMajorStrides(const std::vector<int64_t>& shape);

// The elements in row-major order.
std::string ContiguousBytes(const RawTensor& tensor);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_RAW_TENSOR_H_
