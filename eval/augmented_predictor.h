#ifndef MASK2FORMER_EVAL_AUGMENTED_PREDICTOR_H_
#define MASK2FORMER_EVAL_AUGMENTED_PREDICTOR_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "absl/status/status.h"
#include "mask2former/common/image_size.h"
#include "mask2former/eval/eval_config.pb.h"
#include "mask2former/eval/semantic_predictor.h"
#include "mask2former/model/model_config.pb.h"

namespace mask2former {

class Segmentor;

// The sizes at which a picture of `image` pixels is looked at.
//
// Returns one size for each of tta.min_size(), the official six if it is empty.
std::vector<ImageSize> AugmentedSizes(const TestTimeAugmentation& tta,
                                      const ImageSize& image);

// Returns InvalidArgument, naming the field below `eval.tta`, for sizes that
// are not positive.
absl::Status ValidateTestTimeAugmentation(const TestTimeAugmentation& tta);

// Labels every pixel by the mean of the scores that the model gives for the
// picture at several sizes, each also mirrored. Each is resized as an 8-bit
// picture and goes through the model alone, with the same `output`.
//
//   arguments  as PredictSemantic(); `image` as a test picture
//   returns    scores and labels; `queries` are undefined, there being several
//
// Takes as long as the sum of the sizes says: with the official settings 17
// times as long, a 1024 x 2048 picture being run at up to 1792 x 3584. Needs
// twice K floats for each pixel of `output`.
//
// Throws c10::Error as Segmentor does.
//
// Source: spec of the official SemanticSegmentorWithTTA.
SemanticPrediction PredictSemanticAugmented(Segmentor& segmentor,
                                            const InferenceConfig& config,
                                            const TestTimeAugmentation& tta,
                                            const at::Tensor& image,
                                            const ImageSize& output);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_AUGMENTED_PREDICTOR_H_
