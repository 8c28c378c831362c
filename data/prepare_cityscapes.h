#ifndef MASK2FORMER_DATA_PREPARE_CITYSCAPES_H_
#define MASK2FORMER_DATA_PREPARE_CITYSCAPES_H_

#include <cstdint>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mask2former {

struct PrepareOptions {
  std::string root;  // Holds gtFine/, or gtFine_trainvaltest.zip.
  std::vector<std::string> splits = {"train", "val", "test"};
  // Where the results go; empty: gtFine/ itself.
  std::string output;
  bool label_train_ids = true;
  bool panoptic = true;
  int num_threads = 0;  // 0: one per core.

  // Called after each file with how many of all are done; never from two
  // threads at a time.
  std::function<void(int64_t done, int64_t total)> progress;
};

// Makes the files that the official scripts derive from the archives, for
// programs that want them; nothing here needs them:
//
//   {output}/{split}/{city}/..._gtFine_labelTrainIds.png
//   {output}/cityscapes_panoptic_{split}/..._gtFine_panoptic.png
//   {output}/cityscapes_panoptic_{split}.json
//
// Pixels and JSON are those of createTrainIdLabelImgs.py and
// createPanopticImgs.py, byte for byte; only the PNGs' compression differs.
// Train ids come from labelIds.png, which gives the same as drawing the
// polygons anew. Every file is written atomically.
//
// Returns NotFound if a split has no label files, InvalidArgument for ids
// outside the table or an output that would hide an archive, else as ReadPng().
absl::Status PrepareCityscapes(const PrepareOptions& options);

// What the panoptic files say of one picture.
struct PanopticRecord {
  struct Segment {
    int64_t id = 0;
    int category_id = 0;  // Label id.
    int64_t area = 0;     // Pixels.
    int x = 0, y = 0, width = 0, height = 0;
    bool is_crowd = false;
  };
  cv::Mat colors;  // [H, W] CV_8UC3: id = R + 256 G + 65536 B, 0 void.
  std::vector<Segment> segments;  // Ids ascending.
};

// Splits an image of instance ids, CV_16UC1, as createPanopticImgs.py does.
//
// Returns InvalidArgument, naming `name`, for ids of no label.
absl::StatusOr<PanopticRecord> MakePanopticRecord(const cv::Mat& instance_ids,
                                                  absl::string_view name);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_PREPARE_CITYSCAPES_H_
