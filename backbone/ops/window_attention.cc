#include "mask2former/backbone/ops/window_attention.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

namespace mask2former::ops {
at::Tensor WindowAttention(const at::Tensor& qkv, const at::Tensor& padding,
                           const at::Tensor& position_bias, int64_t window,
                           int64_t shift) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mask2former::window_attention", "")
          .typed<decltype(WindowAttention)>();
  return op.call(qkv, padding, position_bias, window, shift);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> WindowAttentionBackward(
    const at::Tensor& grad_output, const at::Tensor& qkv,
    const at::Tensor& padding, const at::Tensor& position_bias, int64_t window,
    int64_t shift) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mask2former::window_attention_backward", "")
          .typed<decltype(WindowAttentionBackward)>();
  return op.call(grad_output, qkv, padding, position_bias, window, shift);
}

TORCH_LIBRARY_FRAGMENT(mask2former, m) {
  m.def(
      "window_attention(Tensor qkv, Tensor padding, Tensor position_bias, "
      "int window, int shift) -> Tensor");
  m.def(
      "window_attention_backward(Tensor grad_output, Tensor qkv, "
      "Tensor padding, Tensor position_bias, int window, int shift) "
      "-> (Tensor, Tensor, Tensor)");
}

}  // namespace mask2former::ops
