#include "mask2former/eval/augmented_predictor.h"

#include <ATen/core/grad_mode.h>

#include <opencv2/core/mat.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/data/transforms/flip.h"
#include "mask2former/data/transforms/pil_resize.h"
#include "mask2former/data/transforms/resized_size.h"
#include "mask2former/model/segmentor.h"

namespace mask2former {
namespace {

// [3, H, W] uint8 -> CV_8UC3
cv::Mat ToMat(const at::Tensor& image) {
  const at::Tensor pixels = image.permute({1, 2, 0}).cpu().contiguous();
  return cv::Mat(static_cast<int>(pixels.size(0)),
                 static_cast<int>(pixels.size(1)), CV_8UC3,
                 pixels.data_ptr<uint8_t>())
      .clone();
}

}  // namespace

std::vector<ImageSize> AugmentedSizes(const TestTimeAugmentation& tta,
                                      const ImageSize& image) {
  std::vector<int64_t> shorter(tta.min_size().begin(), tta.min_size().end());
  if (shorter.empty()) shorter = {512, 768, 1024, 1280, 1536, 1792};
  std::vector<ImageSize> sizes;
  for (const int64_t edge : shorter) {
    sizes.push_back(ResizedSize(image, edge, tta.max_size()));
  }
  return sizes;
}

absl::Status ValidateTestTimeAugmentation(const TestTimeAugmentation& tta) {
  for (const int32_t edge : tta.min_size()) {
    if (edge < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("eval.tta.min_size must be positive, has ", edge));
    }
  }
  if (tta.max_size() < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "eval.tta.max_size must be positive, is ", tta.max_size()));
  }
  return absl::OkStatus();
}

SemanticPrediction PredictSemanticAugmented(Segmentor& segmentor,
                                            const InferenceConfig& config,
                                            const TestTimeAugmentation& tta,
                                            const at::Tensor& image,
                                            const ImageSize& output) {
  const at::NoGradGuard no_grad;
  const cv::Mat picture = ToMat(image);
  SemanticPrediction result;
  result.image = {image.size(1), image.size(2)};
  int64_t count = 0;
  const auto add = [&](const cv::Mat& input, bool mirrored) {
    at::Tensor scores =
        ScorePixels(PredictQueries(segmentor, config, ImageToTensor(input)),
                    config, output);
    if (mirrored) scores = scores.flip(2);
    if (count++ == 0) {
      result.scores = std::move(scores);
    } else {
      result.scores += scores;
    }
  };
  for (const ImageSize& size : AugmentedSizes(tta, result.image)) {
    cv::Mat input = PilResizeBilinear(picture, size);
    add(input, /*mirrored=*/false);
    if (!tta.flip()) continue;
    FlipHorizontally(input);
    add(input, /*mirrored=*/true);
  }
  result.scores /= static_cast<double>(count);
  result.train_ids = LabelsOf(result.scores);
  return result;
}

}  // namespace mask2former
