#include "mask2former/model/weights/stored_zip.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kLocator64Signature = 0x07064b50;
constexpr size_t kLocalSize = 30;
constexpr size_t kCentralSize = 46;
constexpr size_t kEndSize = 22;
constexpr size_t kEnd64Size = 56;
constexpr size_t kLocator64Size = 20;
constexpr size_t kLargestComment = 0xffff;
constexpr uint16_t kExtra64 = 0x0001;
constexpr uint16_t kEncrypted = 1;
constexpr uint64_t kAlignment = 64;

absl::Status Malformed(absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat("zip: ", reason));
}

template <typename T>
T Number(absl::string_view bytes, size_t at) {
  T number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  return number;
}

// `size` bytes from `at` on.
absl::StatusOr<absl::string_view> Part(absl::string_view bytes, uint64_t at,
                                       uint64_t size, absl::string_view what) {
  if (at > bytes.size() || size > bytes.size() - at) {
    return Malformed(absl::StrCat(what, " at byte ", at, ", ", size,
                                  " bytes long, ends beyond the file of ",
                                  bytes.size(), " bytes; is it cut off?"));
  }
  return bytes.substr(at, size);
}

// Where the list of files is.
struct Directory {
  uint64_t count = 0;
  uint64_t size = 0;
  uint64_t begin = 0;
};

absl::StatusOr<Directory> FindDirectory(absl::string_view archive) {
  if (archive.size() < kEndSize) return Malformed("the file is too short");
  // From the back: the end may be followed by a comment.
  size_t end = archive.size() - kEndSize;
  const size_t lowest = end - std::min(end, kLargestComment);
  while (Number<uint32_t>(archive, end) != kEndSignature ||
         Number<uint16_t>(archive, end + 20) !=
             archive.size() - end - kEndSize) {
    if (end == lowest) {
      return Malformed("the list of files at the end is missing; cut off?");
    }
    --end;
  }
  Directory directory;
  directory.count = Number<uint16_t>(archive, end + 10);
  directory.size = Number<uint32_t>(archive, end + 12);
  directory.begin = Number<uint32_t>(archive, end + 16);
  if (end < kLocator64Size ||
      Number<uint32_t>(archive, end - kLocator64Size) != kLocator64Signature) {
    return directory;
  }
  M2F_ASSIGN_OR_RETURN(
      const absl::string_view end64,
      Part(archive, Number<uint64_t>(archive, end - kLocator64Size + 8),
           kEnd64Size, "the ZIP64 end"));
  if (Number<uint32_t>(end64, 0) != kEnd64Signature) {
    return Malformed("the ZIP64 end is not where it should be");
  }
  directory.count = Number<uint64_t>(end64, 32);
  directory.size = Number<uint64_t>(end64, 40);
  directory.begin = Number<uint64_t>(end64, 48);
  return directory;
}

// Replaces those of `values` that are 2^32 - 1 by numbers of the ZIP64 field.
absl::Status Widen(absl::string_view extra, std::vector<uint64_t*> values) {
  const auto is_wide = [](const uint64_t* value) {
    return *value == 0xffffffff;
  };
  if (std::none_of(values.begin(), values.end(), is_wide)) {
    return absl::OkStatus();
  }
  while (extra.size() >= 4) {
    const uint16_t id = Number<uint16_t>(extra, 0);
    const uint16_t size = Number<uint16_t>(extra, 2);
    if (size > extra.size() - 4) break;
    absl::string_view field = extra.substr(4, size);
    extra.remove_prefix(4 + size);
    if (id != kExtra64) continue;
    for (uint64_t* const value : values) {
      if (!is_wide(value)) continue;
      if (field.size() < 8) return Malformed("a ZIP64 field is too short");
      *value = Number<uint64_t>(field, 0);
      field.remove_prefix(8);
    }
    return absl::OkStatus();
  }
  return Malformed("a ZIP64 field is missing");
}

// The contents of a file, from its local header.
absl::StatusOr<absl::string_view> Contents(absl::string_view archive,
                                           uint64_t header, uint64_t size) {
  M2F_ASSIGN_OR_RETURN(const absl::string_view local,
                       Part(archive, header, kLocalSize, "its header"));
  if (Number<uint32_t>(local, 0) != kLocalSignature) {
    return Malformed("its header is not where it should be");
  }
  return Part(archive,
              header + kLocalSize + Number<uint16_t>(local, 26) +
                  Number<uint16_t>(local, 28),
              size, "its contents");
}

// ---- Writing.

template <typename T>
void Append(T number, std::string& to) {
  to.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

constexpr uint32_t Narrow(uint64_t number) {
  return number < 0xffffffff ? static_cast<uint32_t>(number) : 0xffffffff;
}

struct Written {
  const ZipItem* item;
  uint32_t checksum = 0;
  uint64_t size = 0;
  uint64_t header = 0;
};

// What local and central header share, from "version needed" to the sizes.
void AppendCommon(const Written& file, std::string& to) {
  Append<uint16_t>(45, to);       // Version 4.5: ZIP64.
  Append<uint16_t>(1 << 11, to);  // Names are UTF-8.
  Append<uint16_t>(0, to);        // Stored.
  Append<uint16_t>(0, to);        // Time and date: the archive of the same
  Append<uint16_t>(0x21, to);     // weights is the same. 1980-01-01.
  Append<uint32_t>(file.checksum, to);
  Append<uint32_t>(0xffffffff, to);  // Sizes: in the ZIP64 field.
  Append<uint32_t>(0xffffffff, to);
  Append<uint16_t>(static_cast<uint16_t>(file.item->name.size()), to);
}

std::string LocalHeader(const Written& file) {
  std::string header;
  Append<uint32_t>(kLocalSignature, header);
  AppendCommon(file, header);
  // The ZIP64 field, then padding in a field of LibTorch's kind ("FB").
  const uint64_t before =
      file.header + kLocalSize + file.item->name.size() + 20 + 4;
  const uint64_t padding =
      (before + kAlignment - 1) / kAlignment * kAlignment - before;
  Append<uint16_t>(static_cast<uint16_t>(24 + padding), header);
  header += file.item->name;
  Append<uint16_t>(kExtra64, header);
  Append<uint16_t>(16, header);
  Append<uint64_t>(file.size, header);
  Append<uint64_t>(file.size, header);
  header += "FB";
  Append<uint16_t>(static_cast<uint16_t>(padding), header);
  header.append(padding, 'Z');
  return header;
}

void AppendCentralHeader(const Written& file, std::string& to) {
  Append<uint32_t>(kCentralSignature, to);
  Append<uint16_t>(45, to);
  AppendCommon(file, to);
  Append<uint16_t>(28, to);  // Length of the ZIP64 field.
  Append<uint16_t>(0, to);   // No comment,
  Append<uint16_t>(0, to);   // one disk,
  Append<uint16_t>(0, to);   // no attributes.
  Append<uint32_t>(0, to);
  Append<uint32_t>(0xffffffff, to);
  to += file.item->name;
  Append<uint16_t>(kExtra64, to);
  Append<uint16_t>(24, to);
  Append<uint64_t>(file.size, to);
  Append<uint64_t>(file.size, to);
  Append<uint64_t>(file.header, to);
}

void AppendEnd(uint64_t count, uint64_t begin, uint64_t size, std::string& to) {
  const uint64_t end64 = begin + size;
  Append<uint32_t>(kEnd64Signature, to);
  Append<uint64_t>(kEnd64Size - 12, to);
  Append<uint16_t>(45, to);
  Append<uint16_t>(45, to);
  Append<uint32_t>(0, to);
  Append<uint32_t>(0, to);
  Append<uint64_t>(count, to);
  Append<uint64_t>(count, to);
  Append<uint64_t>(size, to);
  Append<uint64_t>(begin, to);
  Append<uint32_t>(kLocator64Signature, to);
  Append<uint32_t>(0, to);
  Append<uint64_t>(end64, to);
  Append<uint32_t>(1, to);
  const uint16_t narrow_count =
      static_cast<uint16_t>(std::min<uint64_t>(count, 0xffff));
  Append<uint32_t>(kEndSignature, to);
  Append<uint16_t>(0, to);
  Append<uint16_t>(0, to);
  Append<uint16_t>(narrow_count, to);
  Append<uint16_t>(narrow_count, to);
  Append<uint32_t>(Narrow(size), to);
  Append<uint32_t>(Narrow(begin), to);
  Append<uint16_t>(0, to);
}

}  // namespace

absl::StatusOr<std::map<std::string, absl::string_view>> ReadStoredZip(
    absl::string_view archive) {
  M2F_ASSIGN_OR_RETURN(const Directory directory, FindDirectory(archive));
  M2F_ASSIGN_OR_RETURN(
      absl::string_view list,
      Part(archive, directory.begin, directory.size, "the list of files"));
  std::map<std::string, absl::string_view> files;
  for (uint64_t i = 0; i < directory.count; ++i) {
    if (list.size() < kCentralSize ||
        Number<uint32_t>(list, 0) != kCentralSignature) {
      return Malformed(absl::StrCat("file ", i, " of ", directory.count,
                                    " is missing in the list of files"));
    }
    const size_t name_size = Number<uint16_t>(list, 28);
    const size_t extra_size = Number<uint16_t>(list, 30);
    const size_t size =
        kCentralSize + name_size + extra_size + Number<uint16_t>(list, 32);
    if (size > list.size()) return Malformed("the list of files is cut off");
    const std::string name(list.substr(kCentralSize, name_size));
    const auto refused = [&](absl::string_view reason) {
      return Malformed(absl::StrCat("\"", absl::CHexEscape(name), "\": ",
                                    absl::StripPrefix(reason, "zip: ")));
    };
    if ((Number<uint16_t>(list, 8) & kEncrypted) != 0) {
      return refused("is encrypted");
    }
    if (Number<uint16_t>(list, 10) != 0) {
      return refused(
          "is compressed; weight files are stored as they are. Unpack and "
          "pack again with zip -0");
    }
    uint64_t stored = Number<uint32_t>(list, 20);
    uint64_t unpacked = Number<uint32_t>(list, 24);
    uint64_t header = Number<uint32_t>(list, 42);
    const absl::Status widened =
        Widen(list.substr(kCentralSize + name_size, extra_size),
              {&unpacked, &stored, &header});
    if (!widened.ok()) return refused(widened.message());
    if (stored != unpacked) return refused("has two sizes");
    const absl::StatusOr<absl::string_view> contents =
        Contents(archive, header, stored);
    if (!contents.ok()) return refused(contents.status().message());
    if (!files.emplace(name, *contents).second)
      return refused("is there twice");
    list.remove_prefix(size);
  }
  return files;
}

absl::StatusOr<ZipPieces> StoreZip(const std::vector<ZipItem>& items) {
  ZipPieces zip;
  zip.own.reserve(items.size() + 1);  // Pieces point to them.
  std::vector<Written> written;
  uint64_t position = 0;
  for (const ZipItem& item : items) {
    if (item.name.size() > 0xffff) return Malformed("a name is too long");
    Written file;
    file.item = &item;
    file.header = position;
    for (const absl::string_view piece : item.contents) {
      file.checksum =
          libdeflate_crc32(file.checksum, piece.data(), piece.size());
      file.size += piece.size();
    }
    zip.own.push_back(LocalHeader(file));
    zip.pieces.push_back(zip.own.back());
    zip.pieces.insert(zip.pieces.end(), item.contents.begin(),
                      item.contents.end());
    position += zip.own.back().size() + file.size;
    written.push_back(file);
  }
  std::string end;
  for (const Written& file : written) AppendCentralHeader(file, end);
  AppendEnd(items.size(), position, end.size(), end);
  zip.own.push_back(std::move(end));
  zip.pieces.push_back(zip.own.back());
  return zip;
}

}  // namespace mask2former
