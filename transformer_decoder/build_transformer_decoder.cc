#include "mask2former/transformer_decoder/build_transformer_decoder.h"

#include "absl/status/status.h"
#include "mask2former/transformer_decoder/masked_attention_decoder.h"

namespace mask2former {

absl::StatusOr<std::shared_ptr<TransformerDecoder>> BuildTransformerDecoder(
    const TransformerDecoderConfig& config, int64_t in_channels,
    int64_t mask_channels, int64_t num_classes) {
  switch (config.kind_case()) {
    case TransformerDecoderConfig::kMaskedAttention:
      return MaskedAttentionDecoder::Create(
          config.masked_attention(), in_channels, mask_channels, num_classes);
    case TransformerDecoderConfig::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      "transformer_decoder: set one of masked_attention");
}

}  // namespace mask2former
