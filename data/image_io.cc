#include "mask2former/data/image_io.h"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/data/data_files.h"
#include "mask2former/data/decode_image.h"
#include "mask2former/data/png_chunks.h"
#include "mask2former/data/png_decoder.h"

namespace mask2former {
namespace {

constexpr int kGray = 0;
constexpr int kRgb = 2;
constexpr int kPalette = 3;

// `bytes` have passed CheckPngHeader().
PngInfo ParseHeader(absl::string_view bytes) {
  PngInfo info;
  info.width = BigEndian32(&bytes[16]);
  info.height = BigEndian32(&bytes[20]);
  info.bit_depth = static_cast<unsigned char>(bytes[24]);
  info.color_type = static_cast<unsigned char>(bytes[25]);
  return info;
}

PngInfo Wanted(PngFormat format) {
  PngInfo info;
  info.bit_depth = format == PngFormat::kGray16 ? 16 : 8;
  info.color_type = format == PngFormat::kRgb8 ? kRgb : kGray;
  return info;
}

// The likely reason and the way out, for files that are not what they should.
std::string Hint(const PngInfo& found, const PngInfo& wanted) {
  if (wanted.color_type == kRgb) {
    return ": convert it to 8-bit RGB, or name the photographs "
           "(*_leftImg8bit.png) and not the labels";
  }
  if (found.color_type == kPalette) {
    return ": a palette image stores colour numbers of its own, not label ids; "
           "use *_gtFine_labelIds.png";
  }
  if (found.color_type != kGray) {
    return ": this is a colour image, use *_gtFine_labelIds.png";
  }
  if (found.bit_depth == 16) {
    return ": 16 bits hold instance ids (*_gtFine_instanceIds.png), use "
           "*_gtFine_labelIds.png";
  }
  if (wanted.bit_depth == 16) {
    return ": instance ids need 16 bits, use *_gtFine_instanceIds.png";
  }
  return ": rewrite it with the bit depth wanted";
}

}  // namespace

std::string Describe(const PngInfo& info) {
  std::string kind = absl::StrCat("colour type ", info.color_type);
  switch (info.color_type) {
    case 0:
      kind = "gray";
      break;
    case 2:
      kind = "RGB";
      break;
    case 3:
      kind = "palette";
      break;
    case 4:
      kind = "gray with alpha";
      break;
    case 6:
      kind = "RGBA";
      break;
  }
  return absl::StrCat(info.bit_depth, "-bit ", kind);
}

absl::Status CheckPngFormat(const PngInfo& info, PngFormat format,
                            absl::string_view name) {
  const PngInfo wanted = Wanted(format);
  if (info.color_type == wanted.color_type &&
      info.bit_depth == wanted.bit_depth) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is ", Describe(info), ", but must be ",
                   Describe(wanted), Hint(info, wanted)));
}

absl::StatusOr<cv::Mat> DecodePng(absl::string_view bytes, PngFormat format,
                                  absl::string_view name) {
  M2F_RETURN_IF_ERROR(
      WithPrefix(absl::StrCat(name, " "), CheckPngChunks(bytes)));
  const PngInfo found = ParseHeader(bytes);
  M2F_RETURN_IF_ERROR(CheckPngFormat(found, format, name));
  absl::StatusOr<cv::Mat> fast = DecodeLabelPng(bytes);
  if (fast.ok()) return fast;
  if (!absl::IsUnimplemented(fast.status())) {
    return WithPrefix(absl::StrCat(name, " cannot be decoded: "),
                      fast.status());
  }
  M2F_ASSIGN_OR_RETURN(cv::Mat image,
                       DecodeImage(bytes, cv::IMREAD_UNCHANGED, name));
  const int type = format == PngFormat::kRgb8    ? CV_8UC3
                   : format == PngFormat::kGray8 ? CV_8UC1
                                                 : CV_16UC1;
  if (image.type() != type) {
    // A tRNS chunk makes OpenCV add an alpha channel.
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is ", Describe(found),
                     " with a transparent colour; save it without one"));
  }
  if (format == PngFormat::kRgb8) cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
  return image;
}

absl::StatusOr<cv::Mat> ReadPng(const std::string& path, PngFormat format) {
  M2F_ASSIGN_OR_RETURN(const std::string bytes, ReadDataFile(path));
  return DecodePng(bytes, format, path);
}

absl::StatusOr<PngInfo> ReadPngInfo(const std::string& path) {
  M2F_ASSIGN_OR_RETURN(const std::string bytes,
                       ReadDataFileStart(path, kPngHeaderBytes));
  return ParsePngInfo(bytes, path);
}

absl::StatusOr<PngInfo> ParsePngInfo(absl::string_view bytes,
                                     absl::string_view name) {
  M2F_RETURN_IF_ERROR(
      WithPrefix(absl::StrCat(name, " "), CheckPngHeader(bytes)));
  return ParseHeader(bytes);
}

absl::StatusOr<cv::Mat> ReadImageAsRgb(const std::string& path) {
  M2F_ASSIGN_OR_RETURN(const std::string bytes, ReadDataFile(path));
  if (bytes.empty()) {
    return absl::DataLossError(absl::StrCat(path, " is empty"));
  }
  if (absl::StartsWith(bytes, "\x89PNG")) {
    M2F_RETURN_IF_ERROR(
        WithPrefix(absl::StrCat(path, " "), CheckPngChunks(bytes)));
  }
  M2F_ASSIGN_OR_RETURN(cv::Mat image,
                       DecodeImage(bytes, cv::IMREAD_COLOR, path));
  cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
  return image;
}

absl::StatusOr<std::string> EncodePng(const cv::Mat& image) {
  if (image.empty() || (image.type() != CV_8UC3 && image.type() != CV_8UC1 &&
                        image.type() != CV_16UC1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a PNG is written from a CV_8UC3, CV_8UC1 or CV_16UC1 "
        "image that is not empty; got ",
        cv::typeToString(image.type()), " of ", image.rows, " x ", image.cols));
  }
  cv::Mat bgr;  // Not `image` itself: the conversion would write into it.
  if (image.channels() == 3) cv::cvtColor(image, bgr, cv::COLOR_RGB2BGR);
  std::vector<unsigned char> bytes;
  try {
    if (!cv::imencode(".png", bgr.empty() ? image : bgr, bytes)) {
      return absl::InternalError("OpenCV cannot encode a PNG");
    }
  } catch (const cv::Exception& e) {
    return absl::InternalError(
        absl::StrCat("OpenCV cannot encode a PNG: ", e.what()));
  }
  return std::string(bytes.begin(), bytes.end());
}

absl::Status WritePngAtomically(const std::string& path, const cv::Mat& image) {
  absl::StatusOr<std::string> bytes = EncodePng(image);
  if (!bytes.ok()) {
    return WithPrefix(absl::StrCat(path, " not written: "), bytes.status());
  }
  return WriteFileAtomically(path, *bytes);
}

}  // namespace mask2former
