#include "mask2former/model/weights/tar_archive.h"

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mask2former {
namespace {

constexpr size_t kBlock = 512;

absl::Status Malformed(size_t at, absl::string_view reason) {
  return absl::InvalidArgumentError(
      absl::StrCat("tar, byte ", at, ": ", reason));
}

// Text up to the first NUL.
absl::string_view Field(absl::string_view header, size_t at, size_t size) {
  const absl::string_view field = header.substr(at, size);
  return field.substr(0, field.find('\0'));
}

// A number in octal, with spaces around it.
std::optional<uint64_t> Octal(absl::string_view field) {
  while (absl::StartsWith(field, " ")) field.remove_prefix(1);
  while (absl::EndsWith(field, " ")) field.remove_suffix(1);
  if (field.empty()) return std::nullopt;
  uint64_t number = 0;  // Fields are short: it cannot overflow.
  for (const char digit : field) {
    if (digit < '0' || digit > '7') return std::nullopt;
    number = 8 * number + static_cast<uint64_t>(digit - '0');
  }
  return number;
}

// The sum of a header's bytes, those of the sum itself taken for spaces.
bool ChecksumFits(absl::string_view header) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return Octal(Field(header, 148, 8)) == sum;
}

}  // namespace

bool IsTar(absl::string_view bytes) {
  return bytes.size() >= kBlock && bytes.substr(257, 5) == "ustar";
}

absl::StatusOr<std::map<std::string, absl::string_view>> ReadTar(
    absl::string_view archive) {
  std::map<std::string, absl::string_view> files;
  size_t at = 0;
  while (archive.size() - at >= kBlock) {
    const absl::string_view header = archive.substr(at, kBlock);
    if (header[0] == '\0') break;  // The end is marked by empty blocks.
    if (!IsTar(header) || !ChecksumFits(header)) {
      return Malformed(at, "a header is damaged");
    }
    const std::optional<uint64_t> size = Octal(Field(header, 124, 12));
    if (!size.has_value()) return Malformed(at, "a file has no size below 8 G");
    const size_t begin = at + kBlock;
    if (*size > archive.size() - begin) {
      return Malformed(at, absl::StrCat("a file of ", *size,
                                        " bytes ends beyond the archive of ",
                                        archive.size(), "; is it cut off?"));
    }
    const absl::string_view contents = archive.substr(begin, *size);
    const absl::string_view folder = Field(header, 345, 155);
    const std::string name =
        absl::StrCat(folder, folder.empty() ? "" : "/", Field(header, 0, 100));
    switch (header[156]) {
      case '0':
      case '\0':
        if (!files.emplace(name, contents).second) {
          return Malformed(at, absl::StrCat("\"", absl::CHexEscape(name),
                                            "\" is there twice"));
        }
        break;
      case 'x':
      case 'g':
        if (absl::StrContains(contents, " path=") ||
            absl::StrContains(contents, " size=")) {
          return Malformed(at, "names and sizes beside the headers");
        }
        break;
      case 'L':
        return Malformed(at, "a name is longer than a header");
      default:
        break;
    }
    const uint64_t padded = (*size + kBlock - 1) / kBlock * kBlock;
    if (padded > archive.size() - begin) break;  // The last file.
    at = begin + padded;
  }
  return files;
}

}  // namespace mask2former
