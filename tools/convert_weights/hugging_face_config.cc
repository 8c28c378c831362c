#include "mask2former/tools/convert_weights/hugging_face_config.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

using ::nlohmann::ordered_json;

// transformers has these as constants.
constexpr int kPoints = 4;

absl::Status NoCounterpart(absl::string_view field, absl::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("model.", field,
                   " has no counterpart in transformers, "
                   "which has ",
                   wanted));
}

const ordered_json& Stages() {
  static const auto* const kStages =
      new ordered_json{"stage1", "stage2", "stage3", "stage4"};
  return *kStages;
}

ordered_json ResNet(const ResNetConfig& config) {
  const bool bottleneck = config.depth() >= 50;
  const int first = (bottleneck ? 4 : 1) * config.width();
  const ordered_json depths = config.depth() == 18 ? ordered_json{2, 2, 2, 2}
                              : config.depth() == 101
                                  ? ordered_json{3, 4, 23, 3}
                                  : ordered_json{3, 4, 6, 3};
  return ordered_json{
      {"model_type", "resnet"},
      {"num_channels", 3},
      {"embedding_size", config.width()},
      {"hidden_sizes", {first, 2 * first, 4 * first, 8 * first}},
      {"depths", depths},
      {"layer_type", bottleneck ? "bottleneck" : "basic"},
      {"hidden_act", "relu"},
      {"out_features", Stages()}};
}

// As Swin reads it: the list, or that of Swin-T if it is empty.
template <typename Numbers>
ordered_json OrElse(const Numbers& numbers, const ordered_json& otherwise) {
  ordered_json list = ordered_json::array();
  for (const auto number : numbers) list.push_back(number);
  return list.empty() ? otherwise : list;
}

ordered_json Swin(const SwinConfig& config) {
  return ordered_json{{"model_type", "swin"},
                      {"num_channels", 3},
                      {"patch_size", 4},
                      {"embed_dim", config.embed_channels()},
                      {"depths", OrElse(config.depths(), {2, 2, 6, 2})},
                      {"num_heads", OrElse(config.num_heads(), {3, 6, 12, 24})},
                      {"window_size", config.window_size()},
                      {"mlp_ratio", config.mlp_ratio()},
                      {"drop_path_rate", config.drop_path_rate()},
                      {"qkv_bias", true},
                      {"hidden_act", "gelu"},
                      {"use_absolute_embeddings", false},
                      {"out_features", Stages()}};
}

absl::StatusOr<ordered_json> Backbone(const BackboneConfig& config) {
  switch (config.kind_case()) {
    case BackboneConfig::kResnet:
      return ResNet(config.resnet());
    case BackboneConfig::kSwin:
      return Swin(config.swin());
    case BackboneConfig::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("model.backbone is not set");
}

}  // namespace

absl::StatusOr<std::string> HuggingFaceConfig(
    const ModelConfig& config, const std::vector<std::string>& class_names) {
  M2F_ASSIGN_OR_RETURN(const ordered_json backbone,
                       Backbone(config.backbone()));
  const auto& pixel = config.pixel_decoder().ms_deform_attn();
  const auto& decoder = config.transformer_decoder().masked_attention();
  if (pixel.num_points() != kPoints) {
    return NoCounterpart("pixel_decoder.ms_deform_attn.num_points",
                         absl::StrCat(kPoints));
  }
  if (pixel.num_heads() != decoder.num_heads()) {
    return NoCounterpart("pixel_decoder.ms_deform_attn.num_heads",
                         "the transformer decoder's");
  }
  if (pixel.channels() != decoder.channels()) {
    return NoCounterpart("pixel_decoder.ms_deform_attn.channels",
                         "the transformer decoder's");
  }
  ordered_json id2label = ordered_json::object();
  ordered_json label2id = ordered_json::object();
  for (int i = 0; i < config.num_classes(); ++i) {
    const std::string name = i < static_cast<int>(class_names.size())
                                 ? class_names[i]
                                 : absl::StrCat("LABEL_", i);
    id2label[absl::StrCat(i)] = name;
    label2id[name] = i;
  }
  const ordered_json whole = {
      {"architectures", {"Mask2FormerForUniversalSegmentation"}},
      {"model_type", "mask2former"},
      {"backbone_config", backbone},
      {"feature_size", pixel.channels()},
      {"mask_feature_size", pixel.mask_channels()},
      {"encoder_layers", pixel.num_layers()},
      {"encoder_feedforward_dim", pixel.feedforward_channels()},
      {"hidden_dim", decoder.channels()},
      // Counts the prediction that is made from the queries alone.
      {"decoder_layers", decoder.num_layers() + 1},
      {"dim_feedforward", decoder.feedforward_channels()},
      {"num_attention_heads", decoder.num_heads()},
      {"num_queries", decoder.num_queries()},
      {"pre_norm", decoder.pre_norm()},
      {"dropout", decoder.dropout()},
      {"activation_function", "relu"},
      {"enforce_input_projection", false},
      {"common_stride", 4},
      {"feature_strides", {4, 8, 16, 32}},
      {"no_object_weight", 0.1},
      {"id2label", id2label},
      {"label2id", label2id},
      {"torch_dtype", "float32"}};
  return whole.dump(2) + "\n";
}

}  // namespace mask2former
