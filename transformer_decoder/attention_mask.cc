#include "mask2former/transformer_decoder/attention_mask.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include "mask2former/common/tensor_shape.h"

namespace mask2former {

at::Tensor BlockedCells(const at::Tensor& mask_logits, int64_t height,
                        int64_t width) {
  CheckShape(mask_logits, "mask_logits", {kAny, kAny, kAny, kAny});
  const at::NoGradGuard no_grad;
  at::Tensor logits = mask_logits.detach();
  if (logits.size(2) != height || logits.size(3) != width) {
    logits = at::upsample_bilinear2d(logits, {height, width},
                                     /*align_corners=*/false);
  }
  return logits.sigmoid().lt(0.5).flatten(2);
}

at::Tensor AttendableCells(const at::Tensor& blocked) {
  CheckShape(blocked, "blocked", {kAny, kAny, kAny});
  const at::Tensor all_blocked = blocked.all(/*dim=*/2, /*keepdim=*/true);
  return blocked.logical_not().logical_or_(all_blocked).unsqueeze(1);
}

}  // namespace mask2former
