#include "mask2former/common/safetensors_header.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mask2former/common/status_macros.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "safetensors data is little-endian and read as it is");

namespace mask2former {
namespace {

using ::nlohmann::json;

constexpr char kMetadata[] = "__metadata__";
// The reference reader's limit.
constexpr uint64_t kLargestHeader = 100'000'000;

// A tensor's entry in the header.
struct Entry {
  SafetensorsEntry tensor;
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
  entry.tensor.name = name;
  const auto dtype = fields.find("dtype");
  const auto shape = fields.find("shape");
  const auto offsets = fields.find("data_offsets");
  if (!fields.is_object() || dtype == fields.end() || shape == fields.end() ||
      offsets == fields.end() || fields.size() != 3) {
    return Malformed("must have dtype, shape and data_offsets, and no more");
  }
  if (!dtype->is_string()) return Malformed("dtype is not a string");
  const std::string& type_name = dtype->get_ref<const std::string&>();
  const std::optional<ElementType> type = ElementTypeFromName(type_name);
  if (!type.has_value()) {
    return Malformed(absl::StrCat("dtype ", type_name,
                                  " is not supported; supported are ",
                                  ElementTypeNames()));
  }
  entry.tensor.type = *type;
  uint64_t bytes = ElementSize(*type);
  if (!shape->is_array()) return Malformed("shape is not a list");
  for (const json& size : *shape) {
    if (!size.is_number_unsigned() ||
        size.get<uint64_t>() > std::numeric_limits<int64_t>::max()) {
      return Malformed("shape holds something other than a size");
    }
    entry.tensor.shape.push_back(size.get<int64_t>());
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
    return Malformed(
        absl::StrCat("shape [", absl::StrJoin(entry.tensor.shape, ", "),
                     "] of ", type_name, " takes ", bytes,
                     " bytes, data_offsets give ", entry.end - entry.begin));
  }
  return entry;
}

absl::StatusOr<json> ParseHeader(absl::string_view text) {
  std::vector<std::set<std::string>> names;  // Of every object that is open.
  std::string duplicate;
  const json header = json::parse(
      text.begin(), text.end(),
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
      return Malformed(absl::StrCat("tensor \"", entry.tensor.name,
                                    "\": its data (", entry.begin, " .. ",
                                    entry.end, ") ", reason));
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

}  // namespace

absl::StatusOr<SafetensorsHeader> ParseSafetensors(absl::string_view file) {
  uint64_t header_size = 0;
  if (file.size() < sizeof(header_size)) {
    return Malformed(absl::StrCat("has ", file.size(),
                                  " bytes, fewer than the ",
                                  sizeof(header_size), " of a length"));
  }
  std::memcpy(&header_size, file.data(), sizeof(header_size));
  file.remove_prefix(sizeof(header_size));
  if (header_size > kLargestHeader) {
    return Malformed(absl::StrCat("announces a header of ", header_size,
                                  " bytes, at most ", kLargestHeader,
                                  " are allowed; is it a safetensors file?"));
  }
  if (header_size > file.size()) {
    return Malformed(absl::StrCat("announces a header of ", header_size,
                                  " bytes, but only ", file.size(),
                                  " follow; is it cut off?"));
  }
  M2F_ASSIGN_OR_RETURN(const json header,
                       ParseHeader(file.substr(0, header_size)));
  const absl::string_view data = file.substr(header_size);
  SafetensorsHeader result;
  const auto metadata = header.find(kMetadata);
  if (metadata != header.end()) {
    M2F_RETURN_IF_ERROR(ParseMetadata(*metadata, &result.metadata));
  }
  M2F_ASSIGN_OR_RETURN(std::vector<Entry> entries,
                       ParseEntries(header, data.size()));
  for (Entry& entry : entries) {
    entry.tensor.data = data.substr(entry.begin, entry.end - entry.begin);
    result.entries.push_back(std::move(entry.tensor));
  }
  return result;
}

}  // namespace mask2former
