#include "mask2former/model/weights/torch_storages.h"

#include <cstring>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/model/weights/stored_zip.h"

namespace mask2former {
namespace {

using Kind = PickleValue::Kind;

constexpr absl::string_view kPickleName = "/data.pkl";
// The first value of the legacy form, 0x1950a86a20f9469cfc6c.
constexpr absl::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr int64_t kLegacyVersion = 1001;

absl::Status Malformed(absl::string_view reason) {
  return absl::InvalidArgumentError(reason);
}

// ("storage", type, key, device, size[, part])
struct StorageId {
  std::optional<ElementType> type;
  std::string key;
  int64_t size = 0;  // In elements.
  uint64_t bytes = 0;
  // The bytes of it that are meant.
  uint64_t part_begin = 0, part_bytes = 0;
};

absl::StatusOr<StorageId> ParseId(const PickleValue& id) {
  if (!id.is(Kind::kTuple) || id.items.size() < 5 ||
      !id.items[0]->is(Kind::kString) || id.items[0]->text != "storage" ||
      !id.items[2]->is(Kind::kString) || !id.items[4]->is(Kind::kInt) ||
      id.items[4]->number < 0) {
    return Malformed("a storage has an unknown id");
  }
  StorageId parsed;
  M2F_ASSIGN_OR_RETURN(parsed.type, TorchType(*id.items[1]));
  parsed.key = std::string(id.items[2]->text.substr(0, 100));
  parsed.size = id.items[4]->number;
  const int64_t element =
      parsed.type.has_value() ? ElementSize(*parsed.type) : 1;
  if (__builtin_mul_overflow(static_cast<uint64_t>(parsed.size),
                             static_cast<uint64_t>(element), &parsed.bytes)) {
    return Malformed("a storage is too large");
  }
  parsed.part_bytes = parsed.bytes;
  if (id.items.size() == 5 || id.items[5]->is(Kind::kNone)) return parsed;
  // Before 0.4: (key, first element, elements) of a part.
  const PickleValue& part = *id.items[5];
  if (!part.is(Kind::kTuple) || part.items.size() != 3 ||
      !part.items[1]->is(Kind::kInt) || !part.items[2]->is(Kind::kInt)) {
    return Malformed("a part of a storage has an unknown id");
  }
  const int64_t begin = part.items[1]->number;
  const int64_t size = part.items[2]->number;
  if (begin < 0 || size < 0 || begin > parsed.size ||
      size > parsed.size - begin) {
    return Malformed("a part of a storage ends beyond it");
  }
  parsed.part_begin = static_cast<uint64_t>(begin * element);
  parsed.part_bytes = static_cast<uint64_t>(size * element);
  return parsed;
}

// Bytes of every storage that the pickle refers to, by key.
absl::StatusOr<std::map<std::string, uint64_t>> SizesOfStorages(
    const Pickle& pickle) {
  std::map<std::string, uint64_t> sizes;
  for (const PickleValue& value : pickle.values) {
    if (!value.is(Kind::kExternal)) continue;
    M2F_ASSIGN_OR_RETURN(const StorageId id, ParseId(*value.items[0]));
    const auto inserted = sizes.emplace(id.key, id.bytes);
    if (inserted.first->second != id.bytes) {
      return Malformed(
          absl::StrCat("storage ", absl::CHexEscape(id.key), " has two sizes"));
    }
  }
  return sizes;
}

// The pickle at the start of `bytes`, which it is cut off from.
absl::StatusOr<Pickle> TakePickle(absl::string_view whole,
                                  absl::string_view& bytes) {
  absl::StatusOr<Pickle> pickle = ReadPickle(bytes, WeightGlobals());
  if (!pickle.ok()) {
    return Malformed(absl::StrCat("from byte ", whole.size() - bytes.size(),
                                  " on: ", pickle.status().message()));
  }
  bytes.remove_prefix(pickle->size);
  return pickle;
}

}  // namespace

absl::StatusOr<PickledStorage> TorchFile::Find(const PickleValue& id) const {
  M2F_ASSIGN_OR_RETURN(const StorageId parsed, ParseId(id));
  const auto found = storages.find(parsed.key);
  if (found == storages.end()) {
    return Malformed(absl::StrCat("storage ", absl::CHexEscape(parsed.key),
                                  " is not in the file"));
  }
  if (found->second.size() != parsed.bytes) {
    return Malformed(absl::StrCat("storage ", absl::CHexEscape(parsed.key),
                                  " should have ", parsed.bytes,
                                  " bytes, it has ", found->second.size()));
  }
  return PickledStorage{
      parsed.type, found->second.substr(parsed.part_begin, parsed.part_bytes)};
}

absl::StatusOr<TorchFile> ReadTorchZip(absl::string_view bytes) {
  M2F_ASSIGN_OR_RETURN(const auto files, ReadStoredZip(bytes));
  std::string folder;
  for (const auto& [name, unused] : files) {
    if (!absl::EndsWith(name, kPickleName)) continue;
    const std::string found = name.substr(0, name.size() - kPickleName.size());
    if (found.find('/') == std::string::npos) folder = found;
  }
  const auto pickle_file = files.find(folder + std::string(kPickleName));
  if (pickle_file == files.end()) {
    return Malformed(
        "a zip archive without data.pkl: not a file of torch.save");
  }
  if (files.count(folder + "/constants.pkl") != 0) {
    return Malformed(
        "a TorchScript program, not weights; save module.state_dict() "
        "with torch.save");
  }
  const auto order = files.find(folder + "/byteorder");
  if (order != files.end() && order->second != "little") {
    return Malformed(absl::StrCat("byte order ",
                                  absl::CHexEscape(order->second.substr(0, 20)),
                                  " is not supported, only little"));
  }
  TorchFile file;
  const absl::string_view pickle = pickle_file->second;
  absl::StatusOr<Pickle> read = ReadPickle(pickle, WeightGlobals());
  if (!read.ok()) {
    return Malformed(
        absl::StrCat("data.pkl (from byte ", pickle.data() - bytes.data(),
                     " of the file on): ", read.status().message()));
  }
  file.pickle = *std::move(read);
  const std::string prefix = folder + "/data/";
  for (const auto& [name, contents] : files) {
    if (absl::StartsWith(name, prefix)) {
      file.storages.emplace(name.substr(prefix.size()), contents);
    }
  }
  return file;
}

bool IsLegacyTorch(absl::string_view bytes) {
  // PROTO 2, LONG1 of 10 bytes.
  return absl::StartsWith(bytes, "\x80\x02\x8a\x0a") &&
         absl::StartsWith(bytes.substr(4), kMagic);
}

absl::StatusOr<TorchFile> ReadLegacyTorch(absl::string_view bytes) {
  if (!IsLegacyTorch(bytes)) return Malformed("not a file of torch.save");
  absl::string_view rest = bytes;
  M2F_RETURN_IF_ERROR(TakePickle(bytes, rest).status());
  M2F_ASSIGN_OR_RETURN(const Pickle version, TakePickle(bytes, rest));
  if (!version.root->is(Kind::kInt) || version.root->number != kLegacyVersion) {
    return Malformed("this version of torch.save's legacy form is not known");
  }
  M2F_ASSIGN_OR_RETURN(const Pickle machine, TakePickle(bytes, rest));
  const PickleValue* const little = machine.root->Find("little_endian");
  if (little == nullptr || !little->is(Kind::kBool) || little->number != 1) {
    return Malformed("big-endian files are not supported");
  }
  TorchFile file;
  M2F_ASSIGN_OR_RETURN(file.pickle, TakePickle(bytes, rest));
  M2F_ASSIGN_OR_RETURN(const Pickle keys, TakePickle(bytes, rest));
  if (!keys.root->is(Kind::kList)) return Malformed("the keys are no list");
  M2F_ASSIGN_OR_RETURN(const auto sizes, SizesOfStorages(file.pickle));
  for (const PickleValue* const key : keys.root->items) {
    const auto size = key->is(Kind::kString)
                          ? sizes.find(std::string(key->text.substr(0, 100)))
                          : sizes.end();
    if (size == sizes.end()) return Malformed("a storage has no type");
    // A length, in elements; the id has it, too.
    constexpr uint64_t kLength = sizeof(int64_t);
    if (rest.size() < kLength || size->second > rest.size() - kLength) {
      return Malformed(absl::StrCat("storage ", absl::CHexEscape(size->first),
                                    " at byte ", bytes.size() - rest.size(),
                                    " ends beyond the file; is it cut off?"));
    }
    if (!file.storages.emplace(size->first, rest.substr(kLength, size->second))
             .second) {
      return Malformed("a storage is there twice");
    }
    rest.remove_prefix(kLength + size->second);
  }
  return file;
}

absl::StatusOr<PickledStorage> LoadStorage(absl::string_view bytes) {
  M2F_ASSIGN_OR_RETURN(const TorchFile file, ReadLegacyTorch(bytes));
  if (!file.pickle.root->is(Kind::kExternal)) {
    return Malformed("a storage is none");
  }
  return file.Find(*file.pickle.root->items[0]);
}

}  // namespace mask2former
