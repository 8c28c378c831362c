#include "mask2former/model/weights/weight_file.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/safetensors_header.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/model/weights/pickle.h"
#include "mask2former/model/weights/pickled_tensors.h"
#include "mask2former/model/weights/tar_archive.h"
#include "mask2former/model/weights/torch_storages.h"
#include "mask2former/model/weights/torch_tar.h"

namespace mask2former {
namespace {

using Kind = PickleValue::Kind;
using ::nlohmann::json;

constexpr int kMaxDepth = 16;  // Of dicts in dicts.
constexpr uint64_t kBudgetPerByte = 256;
constexpr uint64_t kBudget = uint64_t{1} << 19;
// Per tensor or ignored entry, besides its name.
constexpr uint64_t kEntryCost = 256;
constexpr char kIndexSuffix[] = ".index.json";
// Where training programs put the weights.
constexpr absl::string_view kWeightKeys[] = {"model", "state_dict",
                                             "model_state_dict"};
constexpr const char* kFolderNames[] = {
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
    "pytorch_model.bin.index.json"};

absl::Status Malformed(absl::string_view reason) {
  return absl::InvalidArgumentError(reason);
}

std::string Quoted(absl::string_view name) {
  return absl::StrCat("\"", absl::CHexEscape(name.substr(0, 300)), "\"");
}

absl::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kBigInt:
    case Kind::kFloat:
      return "a number";
    case Kind::kString:
    case Kind::kBytes:
      return "text";
    case Kind::kTuple:
    case Kind::kList:
      return "a list";
    default:
      return "an object";
  }
}

// Collects the tensors in dicts of dicts.
class Collector {
 public:
  Collector(PickledTensors& tensors, MemoryBudget& budget, WeightFile& file)
      : tensors_(tensors), budget_(budget), file_(file) {}

  absl::Status Collect(const PickleValue& dict, const std::string& prefix,
                       int depth) {
    if (depth > kMaxDepth) {
      return Malformed(
          absl::StrCat("dicts lie over ", kMaxDepth, " deep in dicts"));
    }
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const PickleValue& key = *dict.items[i];
      const PickleValue& value = *dict.items[i + 1];
      M2F_RETURN_IF_ERROR(
          budget_.Charge(kEntryCost + 2 * (prefix.size() + key.text.size())));
      const std::string name =
          key.is(Kind::kString) ? absl::StrCat(prefix, key.text)
          : key.is(Kind::kInt)  ? absl::StrCat(prefix, key.number)
                                : absl::StrCat(prefix, "?");
      if (tensors_.IsTensor(value)) {
        absl::StatusOr<RawTensor> tensor = tensors_.Read(value);
        if (!tensor.ok()) {
          return Malformed(absl::StrCat("tensor ", Quoted(name), ": ",
                                        tensor.status().message()));
        }
        file_.tensors[name] = *std::move(tensor);
      } else if (value.is(Kind::kDict)) {
        M2F_RETURN_IF_ERROR(Collect(value, name + ".", depth + 1));
      } else {
        file_.ignored.push_back(
            {name, absl::StrCat(KindName(value.kind), ", not a tensor")});
      }
    }
    return absl::OkStatus();
  }

 private:
  PickledTensors& tensors_;
  MemoryBudget& budget_;
  WeightFile& file_;
};

absl::StatusOr<WeightFile> FromPickle(const Pickle& pickle, uint64_t file_size,
                                      std::shared_ptr<const void> owner,
                                      StorageSource source) {
  const PickleValue* root = pickle.root;
  if (!root->is(Kind::kDict)) {
    return Malformed(absl::StrCat("holds ", KindName(root->kind),
                                  " instead of a dict of tensors"));
  }
  WeightFile file;
  const PickleValue* const author = root->Find("__author__");
  if (author != nullptr && author->is(Kind::kString)) {
    file.metadata["author"] = std::string(author->text.substr(0, 200));
  }
  for (const absl::string_view key : kWeightKeys) {
    const PickleValue* const inner = root->Find(key);
    if (inner != nullptr && inner->is(Kind::kDict)) {
      root = inner;
      break;
    }
  }
  MemoryBudget budget(kBudget + kBudgetPerByte * file_size);
  PickledTensors tensors(std::move(owner), budget, std::move(source));
  M2F_RETURN_IF_ERROR(Collector(tensors, budget, file).Collect(*root, "", 0));
  return file;
}

absl::StatusOr<WeightFile> FromTorch(absl::StatusOr<TorchFile> torch,
                                     const char* format, uint64_t file_size,
                                     std::shared_ptr<const void> owner) {
  M2F_RETURN_IF_ERROR(torch.status());
  StorageSource source;
  source.find = [&torch](const PickleValue& id) { return torch->Find(id); };
  source.load = LoadStorage;
  M2F_ASSIGN_OR_RETURN(WeightFile file, FromPickle(torch->pickle, file_size,
                                                   std::move(owner), source));
  file.format = format;
  return file;
}

absl::StatusOr<WeightFile> FromSafetensors(absl::string_view bytes,
                                           std::shared_ptr<const void> owner) {
  M2F_ASSIGN_OR_RETURN(SafetensorsHeader header, ParseSafetensors(bytes));
  WeightFile file;
  file.format = "safetensors";
  file.metadata = std::move(header.metadata);
  for (SafetensorsEntry& entry : header.entries) {
    std::vector<int64_t> strides = RowMajorStrides(entry.shape);
    absl::StatusOr<RawTensor> tensor =
        MakeRawTensor(entry.type, std::move(entry.shape), std::move(strides),
                      /*offset=*/0, entry.data, owner);
    if (!tensor.ok()) {
      return Malformed(absl::StrCat("tensor ", Quoted(entry.name), ": ",
                                    tensor.status().message()));
    }
    file.tensors[entry.name] = *std::move(tensor);
  }
  const auto names = file.metadata.find("class_names");
  if (names != file.metadata.end()) {
    const json list = json::parse(names->second, nullptr, false);
    for (const json& name : list.is_array() ? list : json::array()) {
      if (!name.is_string()) return Malformed("class_names are no strings");
      file.class_names.push_back(name.get<std::string>());
    }
  }
  return file;
}

// A length, little-endian and below 2^32, and JSON. In a pickle the bytes 3 to
// 7 are opcodes or the length of a frame, and not all small.
bool LooksLikeSafetensors(absl::string_view bytes) {
  return bytes.size() > 8 && bytes[8] == '{' &&
         static_cast<unsigned char>(bytes[3]) < 8 && bytes[4] == 0 &&
         bytes[5] == 0 && bytes[6] == 0 && bytes[7] == 0;
}

absl::StatusOr<json> ReadJson(const std::string& path) {
  M2F_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return Malformed("not a JSON object");
  return parsed;
}

// "0": "road", "1": "sidewalk", ..; nothing unless it names 0 .. n - 1.
std::vector<std::string> ReadClassNames(const std::string& path) {
  const absl::StatusOr<json> config = ReadJson(path);
  if (!config.ok()) return {};
  const auto labels = config->find("id2label");
  if (labels == config->end() || !labels->is_object()) return {};
  std::vector<std::string> names(labels->size());
  for (const auto& item : labels->items()) {
    size_t number = 0;
    if (!absl::SimpleAtoi(item.key(), &number) || number >= names.size() ||
        !item.value().is_string()) {
      return {};
    }
    names[number] = item.value().get<std::string>();
  }
  return names;
}

absl::StatusOr<WeightFile> ReadOne(const std::string& path) {
  M2F_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> mapped,
                       MappedFile::Open(path));
  M2F_ASSIGN_OR_RETURN(WeightFile file,
                       ReadWeightBytes(mapped->bytes(), mapped));
  file.files.push_back(mapped);
  return file;
}

// Parts with an index: {"weight_map": {name: file, ..}, ..}.
absl::StatusOr<WeightFile> ReadParts(const std::string& folder,
                                     const std::string& index_path) {
  M2F_ASSIGN_OR_RETURN(const json index, ReadJson(index_path));
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object()) {
    return Malformed("no object \"weight_map\"");
  }
  std::set<std::string> parts;
  for (const auto& item : map->items()) {
    const std::string part =
        item.value().is_string() ? item.value().get<std::string>() : "";
    if (part.empty() || part.find('/') != std::string::npos ||
        part.find('\0') != std::string::npos) {
      return Malformed(absl::StrCat("tensor ", Quoted(item.key()),
                                    ": not the name of a file beside it"));
    }
    parts.insert(part);
  }
  WeightFile all;
  for (const std::string& part : parts) {
    absl::StatusOr<WeightFile> file = ReadOne(folder + part);
    if (!file.ok()) return WithPrefix(absl::StrCat(part, ": "), file.status());
    all.format = absl::StrCat(file->format, ", ", parts.size(), " parts");
    for (auto& [name, tensor] : file->tensors) {
      const auto listed = map->find(name);
      if (listed == map->end() || *listed != part) {
        return Malformed(absl::StrCat("tensor ", Quoted(name), " of ", part,
                                      " is not listed"));
      }
      all.tensors[name] = std::move(tensor);
    }
    all.ignored.insert(all.ignored.end(), file->ignored.begin(),
                       file->ignored.end());
    all.metadata.insert(file->metadata.begin(), file->metadata.end());
    all.files.insert(all.files.end(), file->files.begin(), file->files.end());
  }
  for (const auto& item : map->items()) {
    if (all.tensors.count(item.key()) == 0) {
      return Malformed(absl::StrCat("tensor ", Quoted(item.key()),
                                    " is not in ", item.value().dump()));
    }
  }
  return all;
}

}  // namespace

absl::StatusOr<WeightFile> ReadWeightBytes(absl::string_view bytes,
                                           std::shared_ptr<const void> owner) {
  // First, since the length that it starts with may look like a pickle.
  if (LooksLikeSafetensors(bytes)) {
    return FromSafetensors(bytes, std::move(owner));
  }
  if (absl::StartsWith(bytes, "PK\x03\x04")) {
    return FromTorch(ReadTorchZip(bytes), "PyTorch zip", bytes.size(),
                     std::move(owner));
  }
  if (IsLegacyTorch(bytes)) {
    return FromTorch(ReadLegacyTorch(bytes), "PyTorch before 1.6", bytes.size(),
                     std::move(owner));
  }
  if (absl::StartsWith(bytes, "\x80")) {
    M2F_ASSIGN_OR_RETURN(const Pickle pickle,
                         ReadPickle(bytes, WeightGlobals()));
    if (pickle.size != bytes.size()) {
      return Malformed(absl::StrCat("pickle, byte ", pickle.size, ": ",
                                    bytes.size() - pickle.size,
                                    " bytes follow its end"));
    }
    StorageSource source;
    source.find = [](const PickleValue&) -> absl::StatusOr<PickledStorage> {
      return Malformed("a storage lies outside of the pickle");
    };
    source.load = LoadStorage;
    M2F_ASSIGN_OR_RETURN(WeightFile file, FromPickle(pickle, bytes.size(),
                                                     std::move(owner), source));
    file.format = "pickle";
    return file;
  }
  if (IsTar(bytes)) {
    M2F_ASSIGN_OR_RETURN(const TorchTar torch, TorchTar::Read(bytes));
    StorageSource source;
    source.tensor = [&](const PickleValue& id) {
      return torch.Find(id, owner);
    };
    source.find = [](const PickleValue&) -> absl::StatusOr<PickledStorage> {
      return Malformed("a storage lies in the pickle");
    };
    source.load = LoadStorage;
    M2F_ASSIGN_OR_RETURN(
        WeightFile file,
        FromPickle(torch.pickle(), bytes.size(), owner, source));
    file.format = "PyTorch tar";
    return file;
  }
  return Malformed(
      "neither safetensors nor a file of torch.save nor a pickle of protocol 2 "
      "to 5");
}

absl::StatusOr<WeightFile> ReadWeightFile(const std::string& path) {
  std::string found = path;
  if (DirectoryExists(path)) {
    for (const char* const name : kFolderNames) {
      found = absl::StrCat(path, "/", name);
      if (FileExists(found)) break;
    }
    if (!FileExists(found)) {
      return absl::NotFoundError(absl::StrCat(
          "no weights in \"", path,
          "\": neither model.safetensors nor pytorch_model.bin nor an index"));
    }
  }
  const size_t slash = found.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "" : found.substr(0, slash + 1);
  absl::StatusOr<WeightFile> file = absl::EndsWith(found, kIndexSuffix)
                                        ? ReadParts(folder, found)
                                        : ReadOne(found);
  if (!file.ok()) {
    // MappedFile's errors name the file already.
    return file.status().code() == absl::StatusCode::kInvalidArgument
               ? Malformed(absl::StrCat("cannot read \"", found,
                                        "\": ", file.status().message()))
               : file.status();
  }
  if (file->class_names.empty()) {
    file->class_names = ReadClassNames(folder + "config.json");
  }
  return file;
}

}  // namespace mask2former
