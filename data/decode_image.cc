#include "mask2former/data/decode_image.h"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace mask2former {

absl::StatusOr<cv::Mat> DecodeImage(absl::string_view bytes, int flags,
                                    absl::string_view name) {
  const cv::Mat buffer(1, static_cast<int>(bytes.size()), CV_8UC1,
                       const_cast<char*>(bytes.data()));
  cv::Mat image;
  try {
    image = cv::imdecode(buffer, flags);
  } catch (const cv::Exception& e) {
    return absl::DataLossError(
        absl::StrCat(name, " cannot be decoded: ", e.what()));
  }
  if (image.empty()) {
    return absl::DataLossError(
        absl::StrCat(name,
                     " cannot be decoded: its picture data are damaged "
                     "or of a format that OpenCV does not know"));
  }
  return image;
}

}  // namespace mask2former
