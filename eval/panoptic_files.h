#ifndef MASK2FORMER_EVAL_PANOPTIC_FILES_H_
#define MASK2FORMER_EVAL_PANOPTIC_FILES_H_

#include <map>
#include <opencv2/core/types.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "mask2former/eval/panoptic_metrics.h"

namespace mask2former {

// Writes predicted segments in COCO's panoptic format, which //eval:score
// --task=panoptic and the benchmark's server take:
//
//   X.json        {"annotations": [{"image_id", "file_name", "segments_info":
//                 [{"id", "category_id"}, ...]}, ...], "images": [{"id",
//                 "width", "height", "file_name"}, ...], "categories": [...]},
//                 by image_id. As the official wrapper's predictions.json:
//                 the file of the official preparation with other annotations.
//   X/<name>.png  8-bit RGB, segment id = R + 256 G + 65536 B, 0 for none
//
// Maps are written at once and not kept; the JSON at the end. Add() may be
// called from several threads.
//
//   PanopticFileWriter writer("results/cityscapes_panoptic_val.json");
//   for (...) M2F_RETURN_IF_ERROR(writer.Add(image_id, file_name, image));
//   M2F_RETURN_IF_ERROR(writer.Finish());
class PanopticFileWriter {
 public:
  explicit PanopticFileWriter(absl::string_view json);

  // Writes a picture's map; makes the folder if needed.
  //
  //   image_id   "frankfurt_000000_000294"
  //   file_name  "frankfurt_000000_000294_leftImg8bit.png"
  //   image      ids as CV_32SC1, 0 .. 2^24 - 1; segments with the label ids
  //              of Cityscapes, one for each id but 0 that occurs
  //   picture    file_name of the picture in "images", as file_name if empty;
  //              see CityscapesPanopticPictureName()
  //
  // Returns InvalidArgument for a second picture of this id, and for ids that
  // are only in the map or only in the list, that are twice in the list or too
  // large; the error of the file system.
  absl::Status Add(absl::string_view image_id, absl::string_view file_name,
                   const PanopticImage& image, absl::string_view picture = {});

  absl::Status Finish() const;

 private:
  struct Picture {
    std::string name;
    std::string file_name;
    cv::Size size;
    std::vector<PanopticSegment> segments;
  };

  std::string path_;
  std::string folder_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Picture> pictures_ ABSL_GUARDED_BY(mutex_);  // By id.
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PANOPTIC_FILES_H_
