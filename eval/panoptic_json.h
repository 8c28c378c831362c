#ifndef MASK2FORMER_EVAL_PANOPTIC_JSON_H_
#define MASK2FORMER_EVAL_PANOPTIC_JSON_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/eval/panoptic_metrics.h"

namespace mask2former {

// A picture in COCO's panoptic format.
struct PanopticAnnotation {
  std::string image_id;
  std::string file_name;  // PNG of segment ids in the folder beside the file.
  std::vector<PanopticSegment> segments;
};

struct PanopticFile {
  std::vector<PanopticCategory> categories;  // Empty in predictions.
  std::vector<PanopticAnnotation> annotations;
};

enum class PanopticFileKind {
  kGroundTruth,  // With categories; segments with area and iscrowd.
  kPrediction,
};

// Reads such a file.
//
// Returns InvalidArgument, which names the file and the place in it, if it is
// no JSON, lacks a field, has one of another type or an integer of 2^63 or more
// in it, or has an image_id twice;
// NotFound and the like if it cannot be read. Segments are not checked against
// the PNG nor against each other: PanopticMetrics does.
absl::StatusOr<PanopticFile> ReadPanopticJson(const std::string& path,
                                              PanopticFileKind kind);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PANOPTIC_JSON_H_
