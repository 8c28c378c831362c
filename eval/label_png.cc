#include "mask2former/eval/label_png.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/palette_png.h"

namespace mask2former {

absl::StatusOr<cv::Mat> ReadLabelPng(const std::string& path) {
  M2F_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  absl::StatusOr<cv::Mat> image = DecodePng(bytes, PngFormat::kGray8, path);
  // Anything else than InvalidArgument: damaged, or not a PNG at all.
  if (!absl::IsInvalidArgument(image.status())) return image;
  const absl::StatusOr<PngInfo> info = ParsePngInfo(bytes, path);
  if (!info.ok()) return image;
  constexpr int kPalette = 3;
  if (info->color_type == kPalette) return DecodePaletteIndices(bytes, path);
  return absl::InvalidArgumentError(absl::StrCat(
      path, " is ", Describe(*info),
      "; a prediction must be 8-bit gray or palette, one label id per pixel: "
      "write the label map itself, not a picture of it"));
}

}  // namespace mask2former
