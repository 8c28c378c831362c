#include "mask2former/train/banner.h"

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace mask2former {
namespace {

// 44007700 -> "44,007,700"
std::string WithCommas(int64_t number) {
  std::string digits = absl::StrCat(number);
  for (int64_t i = static_cast<int64_t>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(i, ",");
  }
  return digits;
}

int64_t CountParameters(const torch::nn::Module& model,
                        const std::string& prefix) {
  int64_t count = 0;
  for (const auto& item : model.named_parameters()) {
    if (absl::StartsWith(item.key(), prefix)) count += item.value().numel();
  }
  return count;
}

}  // namespace

std::string Banner(const BannerInfo& info, const torch::nn::Module& model) {
  const int64_t part =
      info.micro_batch_size > 0
          ? std::min(info.micro_batch_size, info.global_batch_size)
          : info.global_batch_size;
  const int64_t parts = (info.global_batch_size + part - 1) / part;
  std::string text = "Mask2Former\n";
  absl::StrAppend(
      &text, "  model       ", info.backbone, ", ",
      WithCommas(CountParameters(model, "")), " parameters (",
      WithCommas(CountParameters(model, "backbone.")), " backbone, ",
      WithCommas(CountParameters(model, "sem_seg_head.pixel_decoder.")),
      " pixel decoder, ",
      WithCommas(CountParameters(model, "sem_seg_head.predictor.")),
      " transformer decoder)\n");
  absl::StrAppend(&text, "  device      ", info.device, ", ", info.num_threads,
                  " threads, ", info.precision, "\n");
  absl::StrAppend(&text, "  batch       ", info.global_batch_size,
                  " = 1 process x ", part, " at once x ", parts,
                  parts == 1 ? " part\n" : " parts, gradients added\n");
  absl::StrAppendFormat(
      &text, "  data        %s: %d images to train, %d to validate\n",
      info.data_root, info.train_images, info.val_images);
  absl::StrAppendFormat(
      &text, "  schedule    %d iterations = %.1f passes over the data\n",
      info.max_iter,
      static_cast<double>(info.max_iter) * info.global_batch_size /
          std::max<int64_t>(1, info.train_images));
  absl::StrAppend(&text, "  seed        ", info.seed, "\n");
  absl::StrAppend(&text, "  output      ", info.output_dir);
  if (info.trains_batch_norm && part < 4) {
    absl::StrAppend(
        &text, "\n  warning: batch norm sees ", part,
        " image(s) at a time, fewer than 4; its statistics will be noisy. Set "
        "a larger solver.micro_batch_size, or norm: FROZEN_BN with pretrained "
        "weights");
  }
  return text;
}

}  // namespace mask2former
