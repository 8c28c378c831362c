#ifndef MASK2FORMER_COMMON_LAYERS_FOLDED_CONV_H_
#define MASK2FORMER_COMMON_LAYERS_FOLDED_CONV_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mask2former {

struct FoldedConvOptions {
  int64_t stride = 1;
  int64_t padding = 0;
  bool relu = false;
};

// relu(convolution(x) + bias + residual) with constant weights, for inference:
// where oneDNN is at hand it is one pass over memory, else the sum and the ReLU
// work in place.
//
// Records no gradient. Results are in channels-last order on the CPU.
class FoldedConv {
 public:
  // `weight` is [out, in, k, k]; `bias` is [out] or undefined. Both are of the
  // dtype and on the device of the inputs to come and are not copied if they
  // are in channels-last order already.
  FoldedConv(const at::Tensor& weight, const at::Tensor& bias,
             const FoldedConvOptions& options);

  // [B, in, H, W] -> [B, out, H', W']; `residual` has the shape of the result
  // or is undefined. Both are converted to the weights' dtype.
  //
  // Throws c10::Error on other shapes.
  at::Tensor Run(const at::Tensor& x, const at::Tensor& residual) const;

 private:
  // Of a height or width.
  int64_t OutputSize(int64_t input_size) const;

  at::Tensor weight_, bias_;
  FoldedConvOptions options_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_LAYERS_FOLDED_CONV_H_
