#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_KERNEL_TESTING_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_KERNEL_TESTING_H_

// Arguments for tests of ms_deform_attn_kernel.h, and what the kernels should
// compute from them, in double, one number after another. Knows no LibTorch and
// shares no formula with the kernels.

#include <cstdint>
#include <string>
#include <vector>

#include "mask2former/common/cuda/half.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_sizes.h"

namespace mask2former::ops {

struct KernelCase {
  std::string name;
  int64_t batch, queries, heads, head_dim, points;
  std::vector<int64_t> level_shapes;
};

struct PlainArguments {
  MsDeformAttnSizes sizes;
  std::vector<int64_t> level_shapes;
  std::vector<float> value, locations, weights, grad_output;
};

struct PlainResult {
  std::vector<double> output, grad_value, grad_locations, grad_weights;
};

// Reference points of all images are the same where the batch is odd.
struct FusedArguments {
  MsDeformAttnSizes sizes;
  std::vector<int64_t> level_shapes;
  int64_t reference_batch;
  std::vector<float> value, reference_points, offsets, logits, grad_output;
};

struct FusedResult {
  std::vector<double> output, grad_value, grad_offsets, grad_logits;
};

// What is left of a number in a T.
template <typename T>
float Rounded(float x) {
  return ToFloat(FromFloat<T>(x));
}

template <typename T>
std::vector<T> ToType(const std::vector<float>& values) {
  std::vector<T> result;
  for (const float value : values) result.push_back(FromFloat<T>(value));
  return result;
}

template <typename T>
std::vector<float> ToFloats(const std::vector<T>& values) {
  std::vector<float> result;
  for (const T value : values) result.push_back(ToFloat(value));
  return result;
}

// Samples reach past every border. Values and gradients go through `round`,
// offsets and logits through `round_raw`.
PlainArguments RandomPlain(const KernelCase& c, float (*round)(float));
FusedArguments RandomFused(const KernelCase& c, float (*round)(float),
                           float (*round_raw)(float));

PlainResult ReferenceForward(const PlainArguments& a);   // The output only.
PlainResult ReferenceBackward(const PlainArguments& a);  // All.
FusedResult FusedReference(const FusedArguments& a);

// EXPECTs |actual - expected| <= atol + rtol |expected| everywhere.
void ExpectNear(const std::vector<float>& actual,
                const std::vector<double>& expected, double atol, double rtol,
                const std::string& name);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_KERNEL_TESTING_H_
