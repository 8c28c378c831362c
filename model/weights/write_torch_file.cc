#include "mask2former/model/weights/write_torch_file.h"

#include <cstdint>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/model/weights/pickle_opcodes.h"
#include "mask2former/model/weights/stored_zip.h"

namespace mask2former {
namespace {

using Op = PickleOpcode;

constexpr size_t kLongestName = 1000;

absl::StatusOr<absl::string_view> StorageClass(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return "DoubleStorage";
    case at::kFloat:
      return "FloatStorage";
    case at::kHalf:
      return "HalfStorage";
    case at::kBFloat16:
      return "BFloat16Storage";
    case at::kLong:
      return "LongStorage";
    case at::kInt:
      return "IntStorage";
    case at::kShort:
      return "ShortStorage";
    case at::kChar:
      return "CharStorage";
    case at::kByte:
      return "ByteStorage";
    case at::kBool:
      return "BoolStorage";
    default:
      return absl::InvalidArgumentError(absl::StrCat(
          "dtype ", c10::toString(type), " has no storage class in LibTorch"));
  }
}

// A pickle of protocol 2 in the making. Values are written where they stand.
class Writer {
 public:
  Writer() {
    Put(Op::kProto);
    program_.push_back(2);
  }

  void Put(uint8_t op) { program_.push_back(static_cast<char>(op)); }

  void Text(absl::string_view text) {
    Put(Op::kBinUnicode);
    const uint32_t size = static_cast<uint32_t>(text.size());
    program_.append(reinterpret_cast<const char*>(&size), sizeof(size));
    absl::StrAppend(&program_, text);
  }

  void Number(int64_t number) {
    if (0 <= number && number < 256) {
      Put(Op::kBinInt1);
      program_.push_back(static_cast<char>(number));
      return;
    }
    Put(Op::kLong1);
    program_.push_back(sizeof(number));
    program_.append(reinterpret_cast<const char*>(&number), sizeof(number));
  }

  void Numbers(at::IntArrayRef numbers) {
    Put(Op::kMark);
    for (const int64_t number : numbers) Number(number);
    Put(Op::kTuple);
  }

  void Global(absl::string_view module, absl::string_view name) {
    Put(Op::kGlobal);
    absl::StrAppend(&program_, module, "\n", name, "\n");
  }

  void EmptyOrderedDict() {
    Global("collections", "OrderedDict");
    Put(Op::kEmptyTuple);
    Put(Op::kReduce);
  }

  // A contiguous tensor, whose storage has a key of its own.
  void Tensor(const at::Tensor& tensor, absl::string_view storage_class,
              int64_t key) {
    Global("torch._utils", "_rebuild_tensor_v2");
    Put(Op::kMark);
    Put(Op::kMark);
    Text("storage");
    Global("torch", storage_class);
    Text(absl::StrCat(key));
    Text("cpu");
    Number(tensor.numel());
    Put(Op::kTuple);
    Put(Op::kBinPersId);
    Number(0);
    Numbers(tensor.sizes());
    Numbers(tensor.strides());
    Put(Op::kNewFalse);
    EmptyOrderedDict();
    Put(Op::kTuple);
    Put(Op::kReduce);
  }

  // LibTorch's _metadata of a state dict, as the state of the dict before.
  void Versions(const std::map<std::string, int>& versions) {
    Put(Op::kEmptyDict);
    Text("_metadata");
    EmptyOrderedDict();
    Put(Op::kMark);
    for (const auto& [name, version] : versions) {
      Text(name);
      Put(Op::kEmptyDict);
      Text("version");
      Number(version);
      Put(Op::kSetItem);
    }
    Put(Op::kSetItems);
    Put(Op::kSetItem);
    Put(Op::kBuild);
  }

  const std::string& program() const { return program_; }

 private:
  std::string program_;
};

}  // namespace

absl::Status WriteTorchFile(const std::string& path,
                            const std::map<std::string, at::Tensor>& tensors,
                            const std::map<std::string, int>& versions) {
  Writer pickle;
  pickle.Put(Op::kEmptyDict);
  pickle.Text("model");
  pickle.EmptyOrderedDict();
  pickle.Put(Op::kMark);
  std::vector<at::Tensor> kept;
  std::vector<ZipItem> storages;
  for (const auto& [name, tensor] : tensors) {
    const auto refused = [&name = name, &path](absl::string_view reason) {
      return absl::InvalidArgumentError(absl::StrCat(
          "cannot write \"", path, "\": tensor \"", name, "\": ", reason));
    };
    if (name.size() > kLongestName) return refused("the name is too long");
    const at::Tensor whole = tensor.detach().cpu().contiguous();
    const auto storage_class = StorageClass(whole.scalar_type());
    if (!storage_class.ok()) return refused(storage_class.status().message());
    const int64_t key = static_cast<int64_t>(kept.size());
    pickle.Text(name);
    pickle.Tensor(whole, *storage_class, key);
    storages.push_back(
        {absl::StrCat("archive/data/", key),
         {{static_cast<const char*>(whole.const_data_ptr()), whole.nbytes()}}});
    kept.push_back(whole);
  }
  pickle.Put(Op::kSetItems);
  pickle.Versions(versions);
  pickle.Put(Op::kSetItem);
  pickle.Put(Op::kStop);
  std::vector<ZipItem> items = {{"archive/data.pkl", {pickle.program()}},
                                {"archive/byteorder", {"little"}}};
  items.insert(items.end(), storages.begin(), storages.end());
  items.push_back({"archive/version", {"3\n"}});
  M2F_ASSIGN_OR_RETURN(const ZipPieces zip, StoreZip(items));
  return WriteFileAtomically(path, zip.pieces);
}

}  // namespace mask2former
