#include "mask2former/tools/convert_weights/hugging_face_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::nlohmann::json;
using ::testing::HasSubstr;

json Config(const std::string& text, const std::vector<std::string>& names) {
  const auto config =
      HuggingFaceConfig(ParseTextProtoOrDie<ModelConfig>(text), names);
  EXPECT_THAT(config, IsOk());
  return config.ok() ? json::parse(*config) : json::object();
}

// That transformers takes them: tools/peers/weights.py.
TEST(HuggingFaceConfigTest, ResNet50) {
  const json config = Config(R"pb(
                               backbone { resnet {} }
                               pixel_decoder { ms_deform_attn {} }
                               transformer_decoder { masked_attention {} }
                               num_classes: 2
                             )pb",
                             {"road", "sky"});
  EXPECT_EQ(config["backbone_config"]["model_type"], "resnet");
  EXPECT_EQ(config["backbone_config"]["hidden_sizes"],
            json({256, 512, 1024, 2048}));
  EXPECT_EQ(config["backbone_config"]["depths"], json({3, 4, 6, 3}));
  EXPECT_EQ(config["decoder_layers"], 10);
  EXPECT_EQ(config["num_queries"], 100);
  EXPECT_EQ(config["id2label"]["1"], "sky");
  EXPECT_EQ(config["label2id"]["sky"], 1);
}

TEST(HuggingFaceConfigTest, EverySettingIsPassedOn) {
  const json config = Config(R"pb(
                               backbone {
                                 swin {
                                   embed_channels: 128
                                   depths: [ 2, 2, 18, 2 ]
                                   num_heads: [ 4, 8, 16, 32 ]
                                   window_size: 12
                                   mlp_ratio: 3
                                 }
                               }
                               pixel_decoder {
                                 ms_deform_attn {
                                   channels: 64
                                   mask_channels: 32
                                   num_layers: 2
                                   num_heads: 4
                                   feedforward_channels: 96
                                 }
                               }
                               transformer_decoder {
                                 masked_attention {
                                   num_queries: 7
                                   channels: 64
                                   num_heads: 4
                                   feedforward_channels: 80
                                   num_layers: 3
                                   pre_norm: true
                                 }
                               }
                               num_classes: 1
                             )pb",
                             {});
  const json& backbone = config["backbone_config"];
  EXPECT_EQ(backbone["model_type"], "swin");
  EXPECT_EQ(backbone["embed_dim"], 128);
  EXPECT_EQ(backbone["depths"], json({2, 2, 18, 2}));
  EXPECT_EQ(backbone["num_heads"], json({4, 8, 16, 32}));
  EXPECT_EQ(backbone["window_size"], 12);
  EXPECT_EQ(backbone["mlp_ratio"], 3);
  EXPECT_EQ(config["feature_size"], 64);
  EXPECT_EQ(config["mask_feature_size"], 32);
  EXPECT_EQ(config["encoder_layers"], 2);
  EXPECT_EQ(config["encoder_feedforward_dim"], 96);
  EXPECT_EQ(config["hidden_dim"], 64);
  EXPECT_EQ(config["num_attention_heads"], 4);
  EXPECT_EQ(config["dim_feedforward"], 80);
  EXPECT_EQ(config["decoder_layers"], 4);
  EXPECT_EQ(config["num_queries"], 7);
  EXPECT_EQ(config["pre_norm"], true);
  EXPECT_EQ(config["id2label"]["0"], "LABEL_0");
}

TEST(HuggingFaceConfigTest, NamesWhatTransformersDoesNotHave) {
  const auto refuses = [](const std::string& text, const std::string& field) {
    EXPECT_THAT(HuggingFaceConfig(ParseTextProtoOrDie<ModelConfig>(text), {}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
  };
  const std::string resnet = "backbone { resnet {} } ";
  refuses("", "model.backbone is not set");
  refuses(resnet + "pixel_decoder { ms_deform_attn { num_points: 8 } }",
          "num_points");
  refuses(resnet + "pixel_decoder { ms_deform_attn { num_heads: 4 } }",
          "num_heads");
  refuses(resnet + "pixel_decoder { ms_deform_attn { channels: 128 } }",
          "channels");
}

}  // namespace
}  // namespace mask2former
