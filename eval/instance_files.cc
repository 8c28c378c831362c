#include "mask2former/eval/instance_files.h"

#include <cmath>
#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/instance_overlaps.h"
#include "mask2former/eval/python_json.h"

namespace mask2former {

InstanceFileWriter::InstanceFileWriter(absl::string_view folder,
                                       absl::string_view stem)
    : folder_(folder), stem_(stem) {}

absl::Status InstanceFileWriter::Add(int label_id, float score,
                                     const cv::Mat& mask) {
  if (stem_.find_first_of(" /") != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", stem_,
                     "\" has a blank or a slash, which the text file cannot "
                     "hold"));
  }
  if (InstanceClassIndex(label_id) < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the label id ", label_id,
                     " is no class with instances: 24..28, 31, 32 and 33 are"));
  }
  if (!std::isfinite(score)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the score ", score, " is not a finite number"));
  }
  if (mask.empty() || mask.type() != CV_8UC1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the mask is ", mask.rows, " x ", mask.cols, " of ",
        cv::typeToString(mask.type()), "; want CV_8UC1, not empty"));
  }
  const std::string name = absl::StrCat(
      stem_, "_", count_, "_", CityscapesLabels()[label_id].name, ".png");
  const cv::Mat inside = mask != 0;  // 0 or 255.
  M2F_RETURN_IF_ERROR(
      WritePngAtomically(absl::StrCat(folder_, "/", name), inside));
  absl::StrAppend(&lines_, name, " ", label_id, " ", JsonNumber(score), "\n");
  ++count_;
  return absl::OkStatus();
}

absl::Status InstanceFileWriter::Finish() {
  return WriteFileAtomically(absl::StrCat(folder_, "/", stem_, "_pred.txt"),
                             lines_);
}

}  // namespace mask2former
