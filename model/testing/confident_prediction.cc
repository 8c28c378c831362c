#include "mask2former/model/testing/confident_prediction.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>

namespace mask2former {

MaskPrediction ConfidentPrediction(const ImageSize& image) {
  constexpr int64_t kQueries = 100;
  constexpr int64_t kClasses = 19;
  constexpr int64_t kRows = 4;
  constexpr int64_t kColumns = 5;
  const int64_t height = image.height / 4;
  const int64_t width = image.width / 4;
  const at::Generator generator = at::detail::createCPUGenerator(/*seed=*/1);
  at::Tensor class_logits = at::randn({1, kQueries, kClasses + 1}, generator);
  at::Tensor mask_logits =
      0.3 * at::randn({1, kQueries, height, width}, generator) - 10;
  const at::Tensor y = ((at::arange(height) + 0.5) / height).unsqueeze(1);
  const at::Tensor x = (at::arange(width) + 0.5) / width;
  for (int64_t q = 0; q < kQueries; ++q) {
    const bool sure = q % (kQueries / (kRows * kColumns)) == 0;
    const int64_t segment = q / (kQueries / (kRows * kColumns));
    class_logits[0][q][sure ? segment % kClasses : kClasses] += 12;
    if (!sure) continue;
    // -1 .. 1 in the segment's cell of the image.
    const at::Tensor dy = 2 * kRows * y - 2 * (segment / kColumns) - 1;
    const at::Tensor dx = 2 * kColumns * x - 2 * (segment % kColumns) - 1;
    mask_logits[0][q] += 10 + (8 * (1 - dx * dx - dy * dy)).clamp(-10, 10);
  }
  return {class_logits, mask_logits};
}

}  // namespace mask2former
