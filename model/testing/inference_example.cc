#include "mask2former/model/testing/inference_example.h"

#include <ATen/ATen.h>

namespace mask2former {

// Query q's winning class logit is 6, masks are positive in some places and -4
// elsewhere.
MaskPrediction InferenceExample() {
  at::Tensor classes = at::zeros({1, 6, 4});
  const int kWinners[] = {0, 1, 2, 2, 0, 3};
  for (int q = 0; q < 6; ++q) classes[0][q][kWinners[q]] = 6;
  at::Tensor masks = at::full({1, 6, 4, 4}, -4.);
  masks[0][0].slice(0, 0, 2).fill_(4);
  masks[0][1].slice(0, 2, 4).fill_(4);
  masks[0][2].slice(0, 1, 3).slice(1, 0, 2).fill_(6);
  masks[0][3].slice(0, 1, 3).slice(1, 0, 3).fill_(3);
  masks[0][4].slice(0, 2, 4).slice(1, 3, 4).fill_(5);
  masks[0][5].fill_(8);
  return {classes, masks};
}

}  // namespace mask2former
