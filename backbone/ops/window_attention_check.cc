#include "mask2former/backbone/ops/window_attention_check.h"

#include <c10/util/Exception.h>

#include "mask2former/backbone/ops/window_attention_cpu_kernel.h"
#include "mask2former/common/tensor_shape.h"

namespace mask2former::ops {
namespace {

void CheckIsLike(const at::Tensor& tensor, const char* name,
                 const at::Tensor& qkv) {
  TORCH_CHECK(tensor.scalar_type() == qkv.scalar_type() &&
                  tensor.device() == qkv.device(),
              name, " must be ", qkv.scalar_type(), " on ", qkv.device(),
              " as qkv is, got ", tensor.scalar_type(), " on ",
              tensor.device());
}

}  // namespace

WindowAttentionSizes CheckWindowAttention(const at::Tensor& qkv,
                                          const at::Tensor& padding,
                                          const at::Tensor& position_bias,
                                          int64_t window, int64_t shift) {
  TORCH_CHECK(window >= 1 && shift >= 0 && shift < window, "shift (", shift,
              ") must be in 0 .. window - 1, window ", window);
  CheckShape(qkv, "qkv", {kAny, kAny, kAny, kAny});
  CheckShape(padding, "padding", {qkv.size(3)});
  CheckShape(position_bias, "position_bias",
             {kAny, window * window, window * window});
  const int64_t heads = position_bias.size(0);
  TORCH_CHECK(heads > 0 && qkv.size(3) % (3 * heads) == 0, "channels of qkv (",
              qkv.size(3),
              ") must be a multiple of 3 times the heads of position_bias (",
              heads, ")");
  TORCH_CHECK(qkv.is_floating_point(), "qkv must be floating point, got ",
              qkv.scalar_type());
  CheckIsLike(padding, "padding", qkv);
  CheckIsLike(position_bias, "position_bias", qkv);
  return {
      qkv.size(0), qkv.size(1), qkv.size(2), heads, qkv.size(3) / (3 * heads),
      window,      shift};
}

WindowAttentionSizes CheckWindowAttentionBackward(
    const at::Tensor& grad_output, const at::Tensor& qkv,
    const at::Tensor& padding, const at::Tensor& position_bias, int64_t window,
    int64_t shift) {
  const WindowAttentionSizes sizes =
      CheckWindowAttention(qkv, padding, position_bias, window, shift);
  CheckShape(grad_output, "grad_output",
             {sizes.batch, sizes.height, sizes.width, sizes.channels()});
  CheckIsLike(grad_output, "grad_output", qkv);
  return sizes;
}

bool HasCpuKernel(at::ScalarType type, const WindowAttentionSizes& sizes) {
  return type == at::kFloat && KernelTakes(sizes);
}

bool HasCudaKernel(at::ScalarType type, const WindowAttentionSizes& sizes) {
  return (type == at::kFloat || type == at::kHalf || type == at::kBFloat16) &&
         CudaKernelTakes(sizes);
}

}  // namespace mask2former::ops
