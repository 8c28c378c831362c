// A model and images so small that a test can train.

#ifndef MASK2FORMER_TRAIN_TESTING_TINY_RUN_H_
#define MASK2FORMER_TRAIN_TESTING_TINY_RUN_H_

#include <cstdint>

#include "mask2former/common/autocast.h"
#include "mask2former/common/image_batch.h"
#include "mask2former/train/train_step.h"

namespace mask2former {

struct TinyOptions {
  int64_t micro_batch_size = 0;
  bool frozen_batch_norm = false;
  Precision precision = Precision::kFloat32;
  int64_t max_iter = 1000000;  // So long that the rate hardly falls.
};

// A model with 19 classes, always the same weights, and its optimizer.
TrainStep TinyTrainStep(const TinyOptions& options);

// `count` images of 64 x 64; image i has i % 4 targets, rectangles with a
// texture.
ImageBatch TinyBatch(int64_t count);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_TESTING_TINY_RUN_H_
