#ifndef MASK2FORMER_MODEL_TESTING_CONFIDENT_PREDICTION_H_
#define MASK2FORMER_MODEL_TESTING_CONFIDENT_PREDICTION_H_

#include "mask2former/common/image_size.h"
#include "mask2former/common/mask_prediction.h"

namespace mask2former {

// What a trained model says of a street, for benchmarks: 100 queries, 19
// classes, masks at a quarter of `image`. 20 queries are sure of their class,
// and their masks are ellipses with ragged edges side by side; the others say
// "no object" and have no mask. Always the same.
MaskPrediction ConfidentPrediction(const ImageSize& image);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_TESTING_CONFIDENT_PREDICTION_H_
