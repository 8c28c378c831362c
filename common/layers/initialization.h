#ifndef MASK2FORMER_COMMON_LAYERS_INITIALIZATION_H_
#define MASK2FORMER_COMMON_LAYERS_INITIALIZATION_H_

// How weights start. For a weight [out, in, ...], fan_in is the number of
// elements of one output, in * ..., and fan_out is out * ... Each draws from
// LibTorch's default generator and records no gradient; each throws c10::Error
// on a weight of fewer than two dimensions.

#include <ATen/core/Tensor.h>

namespace mask2former {

// U(-b, b) with b = sqrt(6 / (fan_in + fan_out)).
//
// Source: Glorot and Bengio, "Understanding the difficulty of training deep
// feedforward neural networks", AISTATS 2010, equation 16.
void XavierUniform(const at::Tensor& weight);

// N(0, 2 / fan_out), which keeps the size of gradients through ReLUs.
//
// Source: He et al., "Delving Deep into Rectifiers", ICCV 2015, equation 14.
void KaimingNormalFanOut(const at::Tensor& weight);

// U(-b, b) with b = sqrt(3 / fan_in), for maps that no ReLU follows.
void UniformFanIn(const at::Tensor& weight);

// U(-b, b) with b = 1 / sqrt(fan_in), LibTorch's default for linear maps and
// convolutions and, with the fan_in of their weight, their biases.
void DefaultUniform(const at::Tensor& weight);
void DefaultUniformBias(const at::Tensor& bias, const at::Tensor& weight);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_LAYERS_INITIALIZATION_H_
