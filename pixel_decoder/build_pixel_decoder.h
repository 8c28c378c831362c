#ifndef MASK2FORMER_PIXEL_DECODER_BUILD_PIXEL_DECODER_H_
#define MASK2FORMER_PIXEL_DECODER_BUILD_PIXEL_DECODER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "mask2former/common/feature_pyramid.h"
#include "mask2former/pixel_decoder/pixel_decoder.h"
#include "mask2former/pixel_decoder/pixel_decoder_config.pb.h"

namespace mask2former {

// Makes the pixel decoder that `config` selects, for pyramids like `input`.
//
// Returns InvalidArgument if `config` selects none or does not fit `input`.
absl::StatusOr<std::shared_ptr<PixelDecoder>> BuildPixelDecoder(
    const PixelDecoderConfig& config, const FeaturePyramidSpec& input);

}  // namespace mask2former

#endif  // MASK2FORMER_PIXEL_DECODER_BUILD_PIXEL_DECODER_H_
