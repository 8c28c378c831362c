#include "mask2former/model/build_segmentor.h"

#include <array>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/backbone/build_backbone.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/pixel_decoder/build_pixel_decoder.h"
#include "mask2former/transformer_decoder/build_transformer_decoder.h"

namespace mask2former {
namespace {

using Numbers = google::protobuf::RepeatedField<float>;

absl::Status ReadThree(const char* field, const Numbers& numbers,
                       std::array<float, 3>& values) {
  if (numbers.empty()) return absl::OkStatus();
  if (numbers.size() != 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("model.", field, " must have 3 numbers (R, G, B), got ",
                     numbers.size()));
  }
  for (int i = 0; i < 3; ++i) values[i] = numbers.Get(i);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<Segmentor>> BuildSegmentor(
    const ModelConfig& config) {
  SegmentorOptions options;
  M2F_RETURN_IF_ERROR(
      ReadThree("pixel_mean", config.pixel_mean(), options.pixel_mean));
  M2F_RETURN_IF_ERROR(
      ReadThree("pixel_std", config.pixel_std(), options.pixel_std));
  for (const float std : options.pixel_std) {
    if (!(std > 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("model.pixel_std must be positive, got ", std));
    }
  }
  options.size_divisibility = config.size_divisibility();
  if (options.size_divisibility < 1 || options.size_divisibility % 32 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("model.size_divisibility must be a multiple of 32, got ",
                     options.size_divisibility));
  }
  if (config.num_classes() < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model.num_classes must be positive, got ", config.num_classes()));
  }

  auto backbone = BuildBackbone(config.backbone());
  if (!backbone.ok()) return WithPrefix("model.backbone: ", backbone.status());
  auto pixel_decoder =
      BuildPixelDecoder(config.pixel_decoder(), (*backbone)->pyramid());
  if (!pixel_decoder.ok()) {
    return WithPrefix("model.pixel_decoder: ", pixel_decoder.status());
  }
  auto transformer_decoder = BuildTransformerDecoder(
      config.transformer_decoder(), (*pixel_decoder)->channels(),
      (*pixel_decoder)->mask_channels(), config.num_classes());
  if (!transformer_decoder.ok()) {
    return WithPrefix("model.transformer_decoder: ",
                      transformer_decoder.status());
  }
  return std::make_shared<Segmentor>(options, *backbone, *pixel_decoder,
                                     *transformer_decoder);
}

}  // namespace mask2former
