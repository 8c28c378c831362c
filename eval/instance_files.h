#ifndef MASK2FORMER_EVAL_INSTANCE_FILES_H_
#define MASK2FORMER_EVAL_INSTANCE_FILES_H_

#include <opencv2/core/mat.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// Writes the predicted instances of one picture in the format of the
// instance-level benchmark, which //eval:score --task=instance and the
// benchmark's server take:
//
//   <folder>/<stem>_pred.txt            a line "<mask> <label id> <score>" each
//   <folder>/<stem>_<i>_<class>.png     8-bit gray, 255 inside, 0 outside
//
// where i counts from 0 in the order of Add(). Masks are written at once and
// not kept.
//
//   InstanceFileWriter writer("results",
//   "frankfurt_000000_000294_leftImg8bit"); for (...)
//   M2F_RETURN_IF_ERROR(writer.Add(26, score, mask));
//   M2F_RETURN_IF_ERROR(writer.Finish());  // Also without any instance.
class InstanceFileWriter {
 public:
  // `stem` begins with city, sequence and frame, has no blank and no slash. The
  // folder must exist.
  InstanceFileWriter(absl::string_view folder, absl::string_view stem);

  // Writes a mask.
  //
  //   label_id  24..28, 31, 32 or 33
  //   score     finite
  //   mask      [H, W]  CV_8UC1, not 0 inside
  //
  // Returns InvalidArgument for all else; the error of the file system.
  absl::Status Add(int label_id, float score, const cv::Mat& mask);

  // Writes the text file.
  absl::Status Finish();

 private:
  std::string folder_;
  std::string stem_;
  std::string lines_;
  int count_ = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_INSTANCE_FILES_H_
