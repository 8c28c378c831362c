#include "mask2former/model/weights/torch_tar.h"

#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/model/weights/pickled_tensors.h"
#include "mask2former/model/weights/tar_archive.h"

namespace mask2former {
namespace {

using Kind = PickleValue::Kind;

absl::Status Malformed(absl::string_view reason) {
  return absl::InvalidArgumentError(reason);
}

// Pickles and numbers one after the other in a file of the archive.
class Sequence {
 public:
  Sequence(absl::string_view name, absl::string_view bytes)
      : name_(name), bytes_(bytes), rest_(bytes) {}

  absl::StatusOr<Pickle> TakePickle() {
    absl::StatusOr<Pickle> pickle = ReadPickle(rest_, WeightGlobals());
    if (!pickle.ok()) return Wrong(pickle.status().message());
    rest_.remove_prefix(pickle->size);
    return pickle;
  }

  // A pickle that is a number from 0 on.
  absl::StatusOr<int64_t> TakeCount() {
    M2F_ASSIGN_OR_RETURN(const Pickle pickle, TakePickle());
    if (!pickle.root->is(Kind::kInt) || pickle.root->number < 0) {
      return Wrong("a count is none");
    }
    return pickle.root->number;
  }

  absl::StatusOr<absl::string_view> Take(uint64_t size) {
    if (size > rest_.size()) {
      return Wrong(absl::StrCat("needs ", size, " bytes, but only ",
                                rest_.size(), " follow; is it cut off?"));
    }
    const absl::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  absl::StatusOr<int64_t> TakeNumber() {
    M2F_ASSIGN_OR_RETURN(const absl::string_view taken, Take(sizeof(int64_t)));
    int64_t number = 0;
    std::memcpy(&number, taken.data(), sizeof(number));
    return number;
  }

  absl::Status Wrong(absl::string_view reason) const {
    return Malformed(absl::StrCat("\"", name_, "\", from byte ",
                                  bytes_.size() - rest_.size(),
                                  " on: ", reason));
  }

 private:
  absl::string_view name_, bytes_, rest_;
};

// Whether `value` is a tuple of `size` whose first entries are `numbers`
// numbers.
bool IsTuple(const PickleValue& value, size_t size, size_t numbers) {
  if (!value.is(Kind::kTuple) || value.items.size() != size) return false;
  for (size_t i = 0; i < numbers; ++i) {
    if (!value.items[i]->is(Kind::kInt)) return false;
  }
  return true;
}

absl::StatusOr<absl::string_view> File(
    const std::map<std::string, absl::string_view>& files, const char* name) {
  const auto found = files.find(name);
  if (found == files.end()) {
    return Malformed(absl::StrCat("a tar archive without \"", name,
                                  "\": not a file of torch.save"));
  }
  return found->second;
}

// Of two numbers from a file, element `offset` to element `offset` + `count`.
absl::StatusOr<absl::string_view> Elements(absl::string_view bytes,
                                           ElementType type, int64_t offset,
                                           int64_t count) {
  const int64_t elements =
      static_cast<int64_t>(bytes.size()) / ElementSize(type);
  if (offset < 0 || count < 0 || offset > elements ||
      count > elements - offset) {
    return Malformed("a storage ends beyond the one that it is part of");
  }
  return bytes.substr(offset * ElementSize(type), count * ElementSize(type));
}

}  // namespace

absl::StatusOr<TorchTar> TorchTar::Read(absl::string_view bytes) {
  M2F_ASSIGN_OR_RETURN(const auto files, ReadTar(bytes));
  M2F_ASSIGN_OR_RETURN(const absl::string_view machine,
                       File(files, "sys_info"));
  M2F_ASSIGN_OR_RETURN(const Pickle info,
                       Sequence("sys_info", machine).TakePickle());
  const PickleValue* const little = info.root->Find("little_endian");
  if (little == nullptr || !little->is(Kind::kBool) || little->number != 1) {
    return Malformed("big-endian files are not supported");
  }
  TorchTar tar;
  M2F_ASSIGN_OR_RETURN(const absl::string_view storages,
                       File(files, "storages"));
  M2F_RETURN_IF_ERROR(tar.ReadStorages(storages));
  M2F_ASSIGN_OR_RETURN(const absl::string_view tensors, File(files, "tensors"));
  M2F_RETURN_IF_ERROR(tar.ReadTensors(tensors));
  M2F_ASSIGN_OR_RETURN(const absl::string_view object, File(files, "pickle"));
  M2F_ASSIGN_OR_RETURN(tar.pickle_, Sequence("pickle", object).TakePickle());
  return tar;
}

// A count; of each a pickle (number, device, type), how many elements it has
// and these; then a pickle of those that are parts: [(number, number of the
// whole, first element, elements), ..].
absl::Status TorchTar::ReadStorages(absl::string_view file) {
  Sequence sequence("storages", file);
  M2F_ASSIGN_OR_RETURN(const int64_t count, sequence.TakeCount());
  for (int64_t i = 0; i < count; ++i) {
    M2F_ASSIGN_OR_RETURN(const Pickle pickle, sequence.TakePickle());
    if (!IsTuple(*pickle.root, 3, 1)) {
      return sequence.Wrong("a storage has an unknown description");
    }
    M2F_ASSIGN_OR_RETURN(const auto type, TorchType(*pickle.root->items[2]));
    if (!type.has_value()) return sequence.Wrong("a storage has no type");
    M2F_ASSIGN_OR_RETURN(const int64_t elements, sequence.TakeNumber());
    uint64_t size = 0;
    if (elements < 0 || __builtin_mul_overflow(
                            static_cast<uint64_t>(elements),
                            static_cast<uint64_t>(ElementSize(*type)), &size)) {
      return sequence.Wrong("a storage has no size");
    }
    M2F_ASSIGN_OR_RETURN(const absl::string_view bytes, sequence.Take(size));
    storages_[pickle.root->items[0]->number] = {*type, bytes};
  }
  M2F_ASSIGN_OR_RETURN(const Pickle views, sequence.TakePickle());
  if (!views.root->is(Kind::kList)) return sequence.Wrong("no list of parts");
  for (const PickleValue* const view : views.root->items) {
    if (!IsTuple(*view, 4, 4)) {
      return sequence.Wrong("a part of a storage has an unknown description");
    }
    const auto whole = storages_.find(view->items[1]->number);
    if (whole == storages_.end()) {
      return sequence.Wrong("a part of a storage that is not there");
    }
    M2F_ASSIGN_OR_RETURN(
        const absl::string_view bytes,
        Elements(whole->second.bytes, whole->second.type,
                 view->items[2]->number, view->items[3]->number));
    storages_[view->items[0]->number] = {whole->second.type, bytes};
  }
  return absl::OkStatus();
}

// A count; of each a pickle (number, number of its storage, type), how many
// dimensions it has, their sizes and strides, and its first element.
absl::Status TorchTar::ReadTensors(absl::string_view file) {
  Sequence sequence("tensors", file);
  M2F_ASSIGN_OR_RETURN(const int64_t count, sequence.TakeCount());
  for (int64_t i = 0; i < count; ++i) {
    M2F_ASSIGN_OR_RETURN(const Pickle pickle, sequence.TakePickle());
    if (!IsTuple(*pickle.root, 3, 2)) {
      return sequence.Wrong("a tensor has an unknown description");
    }
    const auto storage = storages_.find(pickle.root->items[1]->number);
    if (storage == storages_.end()) {
      return sequence.Wrong("a tensor's storage is not there");
    }
    Tensor tensor;
    tensor.storage = storage->second;
    // An int of 4 bytes; what follows it was written as padding.
    M2F_ASSIGN_OR_RETURN(const int64_t number, sequence.TakeNumber());
    const int64_t dimensions = number & 0xffffffff;
    if (dimensions > 64) return sequence.Wrong("has over 64 dimensions");
    for (std::vector<int64_t>* const list : {&tensor.shape, &tensor.strides}) {
      for (int64_t d = 0; d < dimensions; ++d) {
        M2F_ASSIGN_OR_RETURN(list->emplace_back(), sequence.TakeNumber());
      }
    }
    M2F_ASSIGN_OR_RETURN(tensor.offset, sequence.TakeNumber());
    tensors_[pickle.root->items[0]->number] = std::move(tensor);
  }
  return absl::OkStatus();
}

absl::StatusOr<RawTensor> TorchTar::Find(
    const PickleValue& id, std::shared_ptr<const void> owner) const {
  int64_t number = 0;
  if (id.is(Kind::kInt)) {
    number = id.number;
  } else if (!id.is(Kind::kString) || !absl::SimpleAtoi(id.text, &number)) {
    return Malformed("the tensor has an unknown id");
  }
  const auto found = tensors_.find(number);
  if (found == tensors_.end()) {
    return Malformed(absl::StrCat("tensor ", number, " is not in the file"));
  }
  const Tensor& tensor = found->second;
  return MakeRawTensor(tensor.storage.type, tensor.shape, tensor.strides,
                       tensor.offset, tensor.storage.bytes, std::move(owner));
}

}  // namespace mask2former
