#include "mask2former/common/safetensors.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "safetensors data is little-endian and read as it is");

namespace mask2former {
namespace {

using ::nlohmann::json;

constexpr char kMetadata[] = "__metadata__";
constexpr uint64_t kAlignment = 8;
// The reference reader's limit.
constexpr uint64_t kLargestHeader = 100'000'000;

struct Dtype {
  const char* name;
  at::ScalarType type;
};

constexpr std::array<Dtype, 10> kDtypes = {{{"F64", at::kDouble},
                                            {"F32", at::kFloat},
                                            {"F16", at::kHalf},
                                            {"BF16", at::kBFloat16},
                                            {"I64", at::kLong},
                                            {"I32", at::kInt},
                                            {"I16", at::kShort},
                                            {"I8", at::kChar},
                                            {"U8", at::kByte},
                                            {"BOOL", at::kBool}}};

std::string DtypeNames() {
  return absl::StrJoin(kDtypes, ", ", [](std::string* out, const Dtype& dtype) {
    absl::StrAppend(out, dtype.name);
  });
}

// A tensor's entry in the header.
struct Entry {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<int64_t> shape;
  uint64_t begin = 0;  // Bytes after the header.
  uint64_t end = 0;
};

absl::Status Malformed(absl::string_view reason) {
  return absl::InvalidArgumentError(reason);
}

// False if the product does not fit.
bool Multiply(uint64_t factor, uint64_t* product) {
  return !__builtin_mul_overflow(*product, factor, product);
}

absl::StatusOr<Entry> ParseEntry(const std::string& name, const json& fields) {
  Entry entry;
  entry.name = name;
  const auto dtype = fields.find("dtype");
  const auto shape = fields.find("shape");
  const auto offsets = fields.find("data_offsets");
  if (!fields.is_object() || dtype == fields.end() || shape == fields.end() ||
      offsets == fields.end() || fields.size() != 3) {
    return Malformed("must have dtype, shape and data_offsets, and no more");
  }
  if (!dtype->is_string()) return Malformed("dtype is not a string");
  const std::string& type_name = dtype->get_ref<const std::string&>();
  const auto type =
      std::find_if(kDtypes.begin(), kDtypes.end(),
                   [&](const Dtype& known) { return type_name == known.name; });
  if (type == kDtypes.end()) {
    return Malformed(absl::StrCat("dtype ", type_name,
                                  " is not supported; supported are ",
                                  DtypeNames()));
  }
  entry.type = type->type;
  uint64_t bytes = c10::elementSize(type->type);
  if (!shape->is_array()) return Malformed("shape is not a list");
  for (const json& size : *shape) {
    if (!size.is_number_unsigned() ||
        size.get<uint64_t>() > std::numeric_limits<int64_t>::max()) {
      return Malformed("shape holds something other than a size");
    }
    entry.shape.push_back(size.get<int64_t>());
    if (!Multiply(size.get<uint64_t>(), &bytes)) {
      return Malformed("shape is too large");
    }
  }
  if (!offsets->is_array() || offsets->size() != 2 ||
      !(*offsets)[0].is_number_unsigned() ||
      !(*offsets)[1].is_number_unsigned()) {
    return Malformed("data_offsets must be two whole numbers");
  }
  entry.begin = (*offsets)[0].get<uint64_t>();
  entry.end = (*offsets)[1].get<uint64_t>();
  if (entry.begin > entry.end) {
    return Malformed(absl::StrCat("data_offsets ", entry.begin, ", ", entry.end,
                                  " run backwards"));
  }
  if (entry.end - entry.begin != bytes) {
    return Malformed(absl::StrCat("shape [", absl::StrJoin(entry.shape, ", "),
                                  "] of ", type_name, " takes ", bytes,
                                  " bytes, data_offsets give ",
                                  entry.end - entry.begin));
  }
  return entry;
}

absl::StatusOr<json> ParseHeader(const std::string& text) {
  std::vector<std::set<std::string>> names;  // Of every object that is open.
  std::string duplicate;
  const json header = json::parse(
      text,
      [&](int, json::parse_event_t event, const json& parsed) {
        if (event == json::parse_event_t::object_start) {
          names.emplace_back();
        } else if (event == json::parse_event_t::object_end) {
          names.pop_back();
        } else if (event == json::parse_event_t::key &&
                   !names.back().insert(parsed.get<std::string>()).second &&
                   duplicate.empty()) {
          duplicate = parsed.get<std::string>();
        }
        return true;
      },
      /*allow_exceptions=*/false);
  if (header.is_discarded()) return Malformed("the header is not JSON");
  if (!header.is_object()) return Malformed("the header is not a JSON object");
  if (!duplicate.empty()) {
    return Malformed(
        absl::StrCat("the header names \"", duplicate, "\" twice"));
  }
  return header;
}

absl::Status ParseMetadata(const json& fields,
                           std::map<std::string, std::string>* metadata) {
  if (!fields.is_object()) return Malformed("__metadata__ is not an object");
  for (const auto& item : fields.items()) {
    if (!item.value().is_string()) {
      return Malformed(
          absl::StrCat("__metadata__: \"", item.key(), "\" is not a string"));
    }
    (*metadata)[item.key()] = item.value().get<std::string>();
  }
  return absl::OkStatus();
}

// In the order of their data, which they share out completely.
absl::StatusOr<std::vector<Entry>> ParseEntries(const json& header,
                                                uint64_t data_size) {
  std::vector<Entry> entries;
  for (const auto& item : header.items()) {
    if (item.key() == kMetadata) continue;
    absl::StatusOr<Entry> entry = ParseEntry(item.key(), item.value());
    if (!entry.ok()) {
      return Malformed(absl::StrCat("tensor \"", item.key(),
                                    "\": ", entry.status().message()));
    }
    entries.push_back(*std::move(entry));
  }
  std::stable_sort(
      entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::make_pair(a.begin, a.end) < std::make_pair(b.begin, b.end);
      });
  uint64_t used = 0;
  for (const Entry& entry : entries) {
    const auto tensor = [&](absl::string_view reason) {
      return Malformed(absl::StrCat("tensor \"", entry.name, "\": its data (",
                                    entry.begin, " .. ", entry.end, ") ",
                                    reason));
    };
    if (entry.begin < used) return tensor("overlaps another tensor's");
    if (entry.begin > used) {
      return tensor(absl::StrCat("leaves a hole after byte ", used));
    }
    if (entry.end > data_size) {
      return tensor(absl::StrCat("ends beyond the file, which holds ",
                                 data_size, " bytes of data; is it cut off?"));
    }
    used = entry.end;
  }
  if (used < data_size) {
    return Malformed(absl::StrCat(data_size - used,
                                  " bytes at the end belong to no tensor"));
  }
  return entries;
}

// A file from which bytes are read once, front to back.
class Source {
 public:
  explicit Source(const std::string& path)
      : file_(std::fopen(path.c_str(), "rb")) {}

  bool is_open() const { return file_ != nullptr; }

  // -1, with errno, if it has none.
  int64_t Size() {
    if (std::fseek(file_.get(), 0, SEEK_END) != 0) return -1;
    const int64_t size = std::ftell(file_.get());
    return std::fseek(file_.get(), 0, SEEK_SET) == 0 ? size : -1;
  }

  absl::Status Read(void* target, uint64_t size) {
    errno = 0;
    if (size == 0 || std::fread(target, 1, size, file_.get()) == size) {
      return absl::OkStatus();
    }
    if (errno == 0) return Malformed("it was cut off while being read");
    return absl::Status(absl::ErrnoToStatusCode(errno), std::strerror(errno));
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

absl::StatusOr<SafetensorsFile> ReadFrom(Source& source, uint64_t size) {
  uint64_t header_size = 0;
  if (size < sizeof(header_size)) {
    return Malformed(absl::StrCat("has ", size, " bytes, fewer than the ",
                                  sizeof(header_size), " of a length"));
  }
  M2F_RETURN_IF_ERROR(source.Read(&header_size, sizeof(header_size)));
  const uint64_t rest = size - sizeof(header_size);
  if (header_size > kLargestHeader) {
    return Malformed(absl::StrCat("announces a header of ", header_size,
                                  " bytes, at most ", kLargestHeader,
                                  " are allowed; is it a safetensors file?"));
  }
  if (header_size > rest) {
    return Malformed(absl::StrCat("announces a header of ", header_size,
                                  " bytes, but only ", rest,
                                  " follow; is it cut off?"));
  }
  std::string text(header_size, '\0');
  M2F_RETURN_IF_ERROR(source.Read(&text[0], text.size()));
  M2F_ASSIGN_OR_RETURN(const json header, ParseHeader(text));
  SafetensorsFile file;
  const auto metadata = header.find(kMetadata);
  if (metadata != header.end()) {
    M2F_RETURN_IF_ERROR(ParseMetadata(*metadata, &file.metadata));
  }
  M2F_ASSIGN_OR_RETURN(const std::vector<Entry> entries,
                       ParseEntries(header, rest - header_size));
  for (const Entry& entry : entries) {
    at::Tensor tensor =
        at::empty(entry.shape, at::TensorOptions().dtype(entry.type));
    M2F_RETURN_IF_ERROR(
        source.Read(tensor.mutable_data_ptr(), entry.end - entry.begin));
    file.tensors.emplace(entry.name, std::move(tensor));
  }
  return file;
}

absl::StatusOr<const char*> DtypeName(at::ScalarType type) {
  for (const Dtype& dtype : kDtypes) {
    if (dtype.type == type) return dtype.name;
  }
  return absl::InvalidArgumentError(absl::StrCat("dtype ", c10::toString(type),
                                                 " is not supported; "
                                                 "supported are ",
                                                 DtypeNames()));
}

absl::Status Named(const std::string& path, const std::string& name,
                   absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat(
      "cannot write \"", path, "\": tensor \"", name, "\": ", reason));
}

}  // namespace

absl::StatusOr<SafetensorsFile> ReadSafetensors(const std::string& path) {
  Source source(path);
  const int64_t size =
      source.is_open() && !DirectoryExists(path) ? source.Size() : -1;
  if (size < 0) {
    const int error = DirectoryExists(path) ? EISDIR : errno;
    return absl::Status(
        absl::ErrnoToStatusCode(error),
        absl::StrCat("cannot read \"", path, "\": ", std::strerror(error)));
  }
  absl::StatusOr<SafetensorsFile> file = ReadFrom(source, size);
  if (file.ok()) return file;
  return absl::Status(
      file.status().code(),
      absl::StrCat("cannot read \"", path, "\": ", file.status().message()));
}

absl::Status WriteSafetensors(
    const std::string& path, const std::map<std::string, at::Tensor>& tensors,
    const std::map<std::string, std::string>& metadata) {
  // In the order of their data.
  std::vector<std::pair<std::string, at::Tensor>> ordered;
  for (const auto& [name, tensor] : tensors) {
    if (name == kMetadata) return Named(path, name, "the name is reserved");
    if (!tensor.defined()) return Named(path, name, "is undefined");
    if (tensor.layout() != at::kStrided) {
      return Named(path, name, "is not a dense tensor");
    }
    ordered.emplace_back(name, tensor.detach().cpu().contiguous());
  }
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto& a, const auto& b) {
                     return a.second.element_size() > b.second.element_size();
                   });
  json header = json::object();
  if (!metadata.empty()) header[kMetadata] = metadata;
  uint64_t end = 0;
  for (const auto& [name, tensor] : ordered) {
    const absl::StatusOr<const char*> dtype = DtypeName(tensor.scalar_type());
    if (!dtype.ok()) return Named(path, name, dtype.status().message());
    const uint64_t begin = end;
    end += tensor.nbytes();
    header[name] = {{"dtype", *dtype},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {begin, end}}};
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception&) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot write \"", path, "\": a name or metadata is not UTF-8"));
  }
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  if (text.size() > kLargestHeader) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot write \"", path, "\": the header would take ", text.size(),
        " bytes, at most ", kLargestHeader, " are allowed"));
  }
  const uint64_t header_size = text.size();
  std::vector<absl::string_view> pieces = {
      {reinterpret_cast<const char*>(&header_size), sizeof(header_size)}, text};
  for (const auto& [name, tensor] : ordered) {
    pieces.push_back(
        {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()});
  }
  return WriteFileAtomically(path, pieces);
}

}  // namespace mask2former
