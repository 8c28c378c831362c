#ifndef MASK2FORMER_PIXEL_DECODER_MS_DEFORM_ATTN_H_
#define MASK2FORMER_PIXEL_DECODER_MS_DEFORM_ATTN_H_

#include <c10/util/ArrayRef.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>

namespace mask2former {

struct MsDeformAttnOptions {
  int64_t channels = 256;  // C, a multiple of num_heads.
  int64_t num_levels = 3;  // L
  int64_t num_heads = 8;   // M
  int64_t num_points = 4;  // P
};

// ops::MsDeformAttnFused() with the linear maps that choose where to read, how
// much each reading weighs, what is read and what is returned.
//
// Starts as the paper does: offsets fan out from the query, one direction per
// head and one step farther per point; weights are equal. Computes in its
// parameters' dtype even under autocast; arguments are converted.
//
// Parameters: sampling_offsets, attention_weights, value_proj, output_proj.
//
// Source: Zhu et al., "Deformable DETR", ICLR 2021, section 4.1.
class MsDeformAttn final : public torch::nn::Module {
 public:
  // Throws c10::Error unless all options are positive and num_heads divides
  // channels.
  explicit MsDeformAttn(const MsDeformAttnOptions& options);

  //   queries           [B, Q, C]
  //   reference_points  [B or 1, Q, L, 2]  (x, y) in 0..1 of each level
  //   values            [B, S, C]          levels one after another
  //   level_shapes      {H_0, W_0, H_1, ..}
  //   returns           [B, Q, C]
  //
  // Offsets from the reference points are in pixels of the level read.
  torch::Tensor forward(const torch::Tensor& queries,
                        const torch::Tensor& reference_points,
                        const torch::Tensor& values,
                        at::IntArrayRef level_shapes);

 private:
  const MsDeformAttnOptions options_;
  torch::nn::Linear offsets_{nullptr};  // C -> M L P 2
  torch::nn::Linear weights_{nullptr};  // C -> M L P
  torch::nn::Linear value_{nullptr};    // C -> C
  torch::nn::Linear output_{nullptr};   // C -> C
};

}  // namespace mask2former

#endif  // MASK2FORMER_PIXEL_DECODER_MS_DEFORM_ATTN_H_
