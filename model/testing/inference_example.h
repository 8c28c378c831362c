#ifndef MASK2FORMER_MODEL_TESTING_INFERENCE_EXAMPLE_H_
#define MASK2FORMER_MODEL_TESTING_INFERENCE_EXAMPLE_H_

#include "mask2former/common/mask_prediction.h"

namespace mask2former {

// A batch of one with 3 classes, 6 queries and masks of 4 x 4, for which the
// specification of the official code gives the results of all three tasks.
// Class 2 is the only thing.
MaskPrediction InferenceExample();

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_TESTING_INFERENCE_EXAMPLE_H_
