#ifndef MASK2FORMER_MODEL_WEIGHTS_PICKLED_TENSORS_H_
#define MASK2FORMER_MODEL_WEIGHTS_PICKLED_TENSORS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "mask2former/common/element_type.h"
#include "mask2former/model/weights/pickle.h"
#include "mask2former/model/weights/raw_tensor.h"

namespace mask2former {

// How much memory a file may still take. Whatever a file can make grow is
// charged before it grows, so that none gets more than it has bytes for.
class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t bytes) : left_(bytes) {}

  // Returns InvalidArgument if it is used up.
  absl::Status Charge(uint64_t bytes);

 private:
  uint64_t left_;
};

// Memory that tensors share.
struct PickledStorage {
  // Nothing: bytes of which each tensor says what they are.
  std::optional<ElementType> type;
  absl::string_view bytes;
};

// Where a file keeps its storages.
struct StorageSource {
  // By persistent id: ("storage", type, key, device, size, ..).
  std::function<absl::StatusOr<PickledStorage>(const PickleValue& id)> find;
  // From what torch.storage._load_from_bytes is given.
  std::function<absl::StatusOr<PickledStorage>(absl::string_view bytes)> load;
  // By persistent id, in files that keep whole tensors so; else empty.
  std::function<absl::StatusOr<RawTensor>(const PickleValue& id)> tensor;
};

// The globals that pickled weights may refer to, sorted, for ReadPickle().
absl::Span<const absl::string_view> WeightGlobals();

// The type of a storage class ("torch FloatStorage"; nothing for
// UntypedStorage) or of a dtype ("torch uint16").
//
// Returns InvalidArgument for other values.
absl::StatusOr<std::optional<ElementType>> TorchType(const PickleValue& global);

// Understands the calls that NumPy and LibTorch write for arrays and tensors.
class PickledTensors {
 public:
  // `owner` keeps what the pickle and its storages lie in.
  PickledTensors(std::shared_ptr<const void> owner, MemoryBudget& budget,
                 StorageSource source)
      : keep_(std::make_shared<Keep>()),
        budget_(budget),
        source_(std::move(source)) {
    keep_->file = std::move(owner);
  }

  // Whether `value` is meant as an array or a tensor.
  bool IsTensor(const PickleValue& value) const;

  // An array or a scalar of NumPy, a tensor or a parameter of LibTorch.
  //
  // Returns InvalidArgument, with the reason, for arrays of objects, text or
  // records, for big-endian ones, for tensors beyond their storage.
  absl::StatusOr<RawTensor> Read(const PickleValue& value);

 private:
  // What tensors point into.
  struct Keep {
    std::shared_ptr<const void> file;
    std::deque<std::string> decoded;
  };

  absl::StatusOr<RawTensor> ReadTensor(const PickleValue& call);
  absl::StatusOr<RawTensor> ReadArray(const PickleValue& call);
  absl::StatusOr<PickledStorage> Storage(const PickleValue& value);
  // Bytes, or text that stands for them.
  absl::StatusOr<absl::string_view> Bytes(const PickleValue& value);

  std::shared_ptr<Keep> keep_;
  MemoryBudget& budget_;
  StorageSource source_;
  // By the value in the pickle: what is shared is decoded once.
  std::unordered_map<const PickleValue*, absl::string_view> bytes_;
  std::unordered_map<const PickleValue*, PickledStorage> storages_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_PICKLED_TENSORS_H_
