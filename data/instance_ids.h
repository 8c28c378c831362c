#ifndef MASK2FORMER_DATA_INSTANCE_IDS_H_
#define MASK2FORMER_DATA_INSTANCE_IDS_H_

#include <opencv2/core/mat.hpp>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/dataset.h"

namespace mask2former {

struct SegmentedPicture {
  cv::Mat map;  // [H, W] CV_16UC1: n + 1 where segments[n] is, else 0.
  std::vector<Segment> segments;  // Ids ascending.
};

// Splits an image of Cityscapes' instance ids: a thing has its label id * 1000
// + a number, all else its label id; a thing's label id alone marks a group.
//
//   ids   [H, W] CV_16UC1
//   name  for messages
//
// PanopticSegments: every class that is evaluated, class_id 0..18 the train id.
// Pixels of other labels belong to no segment. Segment::id is the instance id,
// which also is the official panoptic id.
//
// ThingSegments: things that are evaluated, class_id 0..7 in the order of train
// ids, without those that are a single pixel wide or high.
//
// Returns InvalidArgument if an id belongs to no label; the message names them.
//
// Source: the preparation script of the Cityscapes tools; the loader of
// instance ids of detectron2.
absl::StatusOr<SegmentedPicture> PanopticSegments(const cv::Mat& ids,
                                                  absl::string_view name);
absl::StatusOr<SegmentedPicture> ThingSegments(const cv::Mat& ids,
                                               absl::string_view name);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_INSTANCE_IDS_H_
