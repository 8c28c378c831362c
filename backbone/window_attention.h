#ifndef MASK2FORMER_BACKBONE_WINDOW_ATTENTION_H_
#define MASK2FORMER_BACKBONE_WINDOW_ATTENTION_H_

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>

namespace mask2former {

struct WindowAttentionOptions {
  int64_t channels = 0;   // C, a multiple of num_heads.
  int64_t num_heads = 0;  // M
  int64_t window = 7;     // Height and width of a window in positions.
  int64_t shift = 0;      // 0 .. window - 1.
};

// ops::WindowAttention() with its linear maps and a learnt bias for each head
// and each way from one position of a window to another.
//
// Parameters: qkv, proj and relative_position_bias_table [(2 window - 1)^2, M],
// which starts from N(0, 0.02^2); relative_position_index, a buffer, says which
// row of the table belongs to a pair of positions.
//
// Source: Liu et al., "Swin Transformer", ICCV 2021, equation 4.
class WindowAttention final : public torch::nn::Module {
 public:
  // Throws c10::Error if the options are out of range.
  explicit WindowAttention(const WindowAttentionOptions& options);

  // [B, H, W, C] -> [B, H, W, C]. Positions that fill up the last windows are
  // zero before the linear maps.
  torch::Tensor forward(const torch::Tensor& x);

 private:
  const WindowAttentionOptions options_;
  torch::nn::Linear qkv_{nullptr};   // C -> 3 C
  torch::nn::Linear proj_{nullptr};  // C -> C
  torch::Tensor table_;              // [(2 window - 1)^2, M]
  torch::Tensor index_;              // [T, T] int64, T = window^2.
};

// [T, T] int64, T = window^2: the row of the table for the way from position j
// to position i, (y_i - y_j + window - 1) (2 window - 1) + x_i - x_j + window -
// 1.
torch::Tensor RelativePositionIndex(int64_t window);

}  // namespace mask2former

#endif  // MASK2FORMER_BACKBONE_WINDOW_ATTENTION_H_
