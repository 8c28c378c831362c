#ifndef MASK2FORMER_DATA_SEGMENT_MAPPER_H_
#define MASK2FORMER_DATA_SEGMENT_MAPPER_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/data/sample_mapper.h"
#include "mask2former/data/train_transform.h"

namespace mask2former {

// The training examples of the instance and the panoptic task: TrainTransform,
// then one target for each segment that is no crowd, in the order of
// Sample::segments. A segment that the crop does not touch stays a target, with
// an empty mask: it is matched, and counted in the losses' normaliser, as in
// the published training.
//
// Segments with polygons are clipped as polygons and filled by the rule of the
// COCO tools; others are read off the segment map.
//
// Source: Cheng et al., "Masked-attention Mask Transformer for Universal Image
// Segmentation", CVPR 2022, section 4 and the published training settings.
class SegmentMapper : public SampleMapper {
 public:
  enum class Crops {
    kAny,     // The instance task's.
    kVaried,  // The panoptic task's: config.single_category_max_area applies.
  };

  // Returns as TrainTransform::Create().
  static absl::StatusOr<std::unique_ptr<SegmentMapper>> Create(
      const InputConfig& config, Crops crops, int64_t num_classes);

  // Returns as TrainTransform::Apply(); InvalidArgument, naming the picture,
  // for a class outside or a polygon that is none.
  absl::StatusOr<TrainingExample> Map(Sample sample,
                                      SampleRandom& random) const override;

 private:
  SegmentMapper(TrainTransform transform, Crops crops, int64_t num_classes);

  TrainTransform transform_;
  Crops crops_;
  int64_t num_classes_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SEGMENT_MAPPER_H_
