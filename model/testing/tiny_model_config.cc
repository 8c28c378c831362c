#include "mask2former/model/testing/tiny_model_config.h"

#include "mask2former/common/testing/parse_text_proto.h"

namespace mask2former {

ModelConfig TinyModelConfig() {
  return ParseTextProtoOrDie<ModelConfig>(R"pb(
    backbone { resnet { depth: 18 width: 16 norm: BN } }
    pixel_decoder {
      ms_deform_attn {
        channels: 32
        mask_channels: 32
        num_layers: 1
        num_heads: 4
        feedforward_channels: 32
      }
    }
    transformer_decoder {
      masked_attention {
        num_queries: 6
        channels: 32
        num_heads: 4
        feedforward_channels: 32
        num_layers: 2
      }
    }
    num_classes: 19
  )pb");
}

}  // namespace mask2former
