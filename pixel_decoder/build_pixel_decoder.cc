#include "mask2former/pixel_decoder/build_pixel_decoder.h"

#include "absl/status/status.h"
#include "mask2former/pixel_decoder/ms_deform_attn_pixel_decoder.h"

namespace mask2former {

absl::StatusOr<std::shared_ptr<PixelDecoder>> BuildPixelDecoder(
    const PixelDecoderConfig& config, const FeaturePyramidSpec& input) {
  switch (config.kind_case()) {
    case PixelDecoderConfig::kMsDeformAttn:
      return MsDeformAttnPixelDecoder::Create(config.ms_deform_attn(), input);
    case PixelDecoderConfig::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("pixel_decoder: set ms_deform_attn");
}

}  // namespace mask2former
