#include "mask2former/common/safetensors.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/element_type.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/mapped_file.h"
#include "mask2former/common/safetensors_header.h"
#include "mask2former/common/scalar_type.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

using ::nlohmann::json;

constexpr char kMetadata[] = "__metadata__";
constexpr uint64_t kAlignment = 8;
// The reference reader's limit.
constexpr uint64_t kLargestHeader = 100'000'000;

absl::Status Named(const std::string& path, const std::string& name,
                   absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat(
      "cannot write \"", path, "\": tensor \"", name, "\": ", reason));
}

}  // namespace

absl::StatusOr<SafetensorsFile> ReadSafetensors(const std::string& path) {
  M2F_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> mapped,
                       MappedFile::Open(path));
  const auto refused = [&](absl::string_view reason) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read \"", path, "\": ", reason));
  };
  const absl::StatusOr<SafetensorsHeader> header =
      ParseSafetensors(mapped->bytes());
  if (!header.ok()) return refused(header.status().message());
  SafetensorsFile file;
  file.metadata = header->metadata;
  for (const SafetensorsEntry& entry : header->entries) {
    const absl::StatusOr<at::ScalarType> type = ScalarTypeOf(entry.type);
    if (!type.ok()) {
      return refused(absl::StrCat("tensor \"", entry.name,
                                  "\": ", type.status().message()));
    }
    at::Tensor tensor =
        at::empty(entry.shape, at::TensorOptions().dtype(*type));
    if (!entry.data.empty()) {
      std::memcpy(tensor.mutable_data_ptr(), entry.data.data(),
                  entry.data.size());
    }
    mapped->Release(entry.data);
    file.tensors.emplace(entry.name, std::move(tensor));
  }
  return file;
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
    const absl::StatusOr<ElementType> dtype =
        ElementTypeOf(tensor.scalar_type());
    if (!dtype.ok()) return Named(path, name, dtype.status().message());
    const uint64_t begin = end;
    end += tensor.nbytes();
    header[name] = {{"dtype", std::string(ElementTypeName(*dtype))},
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
