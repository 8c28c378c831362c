#ifndef MASK2FORMER_COMMON_TESTING_REFERENCE_VALUES_H_
#define MASK2FORMER_COMMON_TESTING_REFERENCE_VALUES_H_

// Numbers that any implementation in any language can make, so that a model can
// be compared with reference outputs without a weight file.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace torch::nn {
class Module;
}  // namespace torch::nn

namespace mask2former {

// u(name, i) for i = 0 .. count - 1, in [0, 1), as double [count]: FNV-1a of
// `name`, then a 32-bit integer mix of hash + i * 0x9E3779B9, 24 bits of it.
at::Tensor ReferenceUniform(const std::string& name, int64_t count);

// Fills every parameter and floating-point buffer of `module` from its name:
//
//   *running_mean 0.1 r; *running_var 1 + 0.5 r; *sampling_offsets.bias 4 r;
//   *relative_position_bias_table 0.5 r; query_feat, query_embed, level_embed
//   sqrt(3) r; other vectors: *weight 1 + 0.1 r, else 0.1 r; the rest
//   sqrt(3 / fan_in) r, a quarter of it for modules output_proj, out_proj and
//   linear2
//
// with r = 2 u(salt + prefix + name, i) - 1. Leaves criterion.empty_weight,
// num_batches_tracked and relative_position_index alone.
void FillWithReferenceValues(torch::nn::Module& module, const std::string& salt,
                             const std::string& prefix = "");

// [3, H, W] uint8, byte i = floor(256 u(name, i)).
at::Tensor ReferenceImage(const std::string& name, int64_t height,
                          int64_t width);

// {mean, mean of absolute values, first, middle (n / 2), last element}.
std::vector<double> Statistics(const at::Tensor& tensor);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_REFERENCE_VALUES_H_
