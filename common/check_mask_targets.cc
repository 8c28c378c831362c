#include "mask2former/common/check_mask_targets.h"

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstdint>

#include "mask2former/common/tensor_shape.h"

namespace mask2former {

void CheckMaskTargets(const MaskPrediction& prediction,
                      const std::vector<MaskTarget>& targets) {
  const int64_t num_images = static_cast<int64_t>(targets.size());
  CheckShape(prediction.class_logits, "class_logits", {num_images, kAny, kAny});
  CheckShape(prediction.mask_logits, "mask_logits",
             {num_images, prediction.class_logits.size(1), kAny, kAny});
  const int64_t num_classes = prediction.class_logits.size(2) - 1;
  const int64_t height = prediction.mask_logits.size(2);
  const int64_t width = prediction.mask_logits.size(3);
  for (const MaskTarget& target : targets) {
    CheckShape(target.labels, "labels", {kAny});
    CheckShape(target.masks, "masks", {target.labels.size(0), kAny, kAny});
    if (target.labels.size(0) == 0) continue;
    TORCH_CHECK(target.masks.size(1) * width == target.masks.size(2) * height,
                "masks must be padded like the images: those of the prediction "
                "are ",
                height, " x ", width, ", got ", target.masks.size(1), " x ",
                target.masks.size(2));
    TORCH_CHECK(target.labels.scalar_type() == at::kLong,
                "labels must be int64, got ", target.labels.scalar_type());
    if (!target.labels.is_cpu()) continue;
    const at::Tensor labels = target.labels.contiguous();
    const int64_t* const label = labels.const_data_ptr<int64_t>();
    for (int64_t i = 0; i < labels.size(0); ++i) {
      TORCH_CHECK(label[i] >= 0 && label[i] < num_classes,
                  "labels must be in 0 .. ", num_classes - 1, ", got ",
                  label[i]);
    }
  }
}

}  // namespace mask2former
