#ifndef MASK2FORMER_TRANSFORMER_DECODER_BUILD_TRANSFORMER_DECODER_H_
#define MASK2FORMER_TRANSFORMER_DECODER_BUILD_TRANSFORMER_DECODER_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "mask2former/transformer_decoder/transformer_decoder.h"
#include "mask2former/transformer_decoder/transformer_decoder_config.pb.h"

namespace mask2former {

// Makes the transformer decoder that `config` selects, with random weights.
//
//   in_channels    of the levels to come
//   mask_channels  E, of the mask features to come
//   num_classes    K, without "no object"
//
// Returns InvalidArgument if `config` selects none or is out of range, or if a
// number is not positive.
absl::StatusOr<std::shared_ptr<TransformerDecoder>> BuildTransformerDecoder(
    const TransformerDecoderConfig& config, int64_t in_channels,
    int64_t mask_channels, int64_t num_classes);

}  // namespace mask2former

#endif  // MASK2FORMER_TRANSFORMER_DECODER_BUILD_TRANSFORMER_DECODER_H_
