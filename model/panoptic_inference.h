#ifndef MASK2FORMER_MODEL_PANOPTIC_INFERENCE_H_
#define MASK2FORMER_MODEL_PANOPTIC_INFERENCE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "mask2former/common/image_size.h"
#include "mask2former/common/mask_prediction.h"

namespace mask2former {

struct PanopticOptions {
  // A query counts if the probability of its class is above this.
  double object_mask_threshold = 0.8;
  // And if at least this share of its mask is left to it by the others.
  double overlap_threshold = 0.8;
  // Per class whether its instances are told apart; the pixels of all others
  // become one segment a class.
  std::vector<bool> is_thing;
};

struct PredictedSegment {
  int32_t id = 0;  // In the map, from 1.
  bool is_thing = false;
  int64_t category = 0;  // 0 .. K - 1; for Cityscapes the train id.
  double score = 0;      // Probability of its class; of the first query's.
};

struct PanopticPrediction {
  at::Tensor ids;  // [height, width] int32, on the CPU; 0: no segment.
  std::vector<PredictedSegment> segments;  // By id.
};

// Gives every pixel to one query or to none.
//
// A query that counts owns the pixels where its probability times its mask is
// the highest, the first query on a tie. It becomes a segment of those where
// its own mask is at least 0.5.
//
//   prediction  of a batch padded to `padded`
//   index       which image of the batch
//   image       its size before padding
//   output      the size wanted, usually that of the original file
//   options     is_thing has K entries
//
// Some rows are done at a time: beyond `prediction` and the map that is
// returned, 4 bytes a pixel, this takes less than 24 MiB, whatever the sizes.
//
// Source: Cheng et al., "Per-Pixel Classification is Not All You Need for
// Semantic Segmentation", NeurIPS 2021, section 3.4.
PanopticPrediction PanopticInference(const MaskPrediction& prediction,
                                     int64_t index, const ImageSize& padded,
                                     const ImageSize& image,
                                     const ImageSize& output,
                                     const PanopticOptions& options);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_PANOPTIC_INFERENCE_H_
