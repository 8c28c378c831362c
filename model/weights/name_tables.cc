#include "mask2former/model/weights/name_tables.h"

#include <vector>

namespace mask2former {
namespace {

// Where two rules fit a name, in either direction, the first one counts: the
// special ones stand first.

constexpr NameRule kHuggingFaceHead[] = {
    {"model.pixel_level_module.decoder.input_projections.#.*",
     "sem_seg_head.pixel_decoder.input_proj.#.*"},
    {"model.pixel_level_module.decoder.level_embed",
     "sem_seg_head.pixel_decoder.transformer.level_embed"},
    {"model.pixel_level_module.decoder.encoder.layers.#.self_attn.*",
     "sem_seg_head.pixel_decoder.transformer.encoder.layers.#.self_attn.*"},
    {"model.pixel_level_module.decoder.encoder.layers.#.self_attn_layer_norm.*",
     "sem_seg_head.pixel_decoder.transformer.encoder.layers.#.norm1.*"},
    {"model.pixel_level_module.decoder.encoder.layers.#.final_layer_norm.*",
     "sem_seg_head.pixel_decoder.transformer.encoder.layers.#.norm2.*"},
    {"model.pixel_level_module.decoder.encoder.layers.#.fc1.*",
     "sem_seg_head.pixel_decoder.transformer.encoder.layers.#.linear1.*"},
    {"model.pixel_level_module.decoder.encoder.layers.#.fc2.*",
     "sem_seg_head.pixel_decoder.transformer.encoder.layers.#.linear2.*"},
    {"model.pixel_level_module.decoder.adapter_1.1.*",
     "sem_seg_head.pixel_decoder.adapter_1.norm.*"},
    {"model.pixel_level_module.decoder.layer_1.1.*",
     "sem_seg_head.pixel_decoder.layer_1.norm.*"},
    {"model.pixel_level_module.decoder.mask_projection.*",
     "sem_seg_head.pixel_decoder.mask_features.*"},
    {"model.transformer_module.queries_features.*",
     "sem_seg_head.predictor.query_feat.*"},
    {"model.transformer_module.queries_embedder.*",
     "sem_seg_head.predictor.query_embed.*"},
    {"model.transformer_module.level_embed.*",
     "sem_seg_head.predictor.level_embed.*"},
    {"model.transformer_module.decoder.layers.#.self_attn.q_proj.weight",
     "sem_seg_head.predictor.transformer_self_attention_layers.#.self_attn.in_"
     "proj_weight",
     {0, 0, 0},
     0,
     3},
    {"model.transformer_module.decoder.layers.#.self_attn.k_proj.weight",
     "sem_seg_head.predictor.transformer_self_attention_layers.#.self_attn.in_"
     "proj_weight",
     {0, 0, 0},
     1,
     3},
    {"model.transformer_module.decoder.layers.#.self_attn.v_proj.weight",
     "sem_seg_head.predictor.transformer_self_attention_layers.#.self_attn.in_"
     "proj_weight",
     {0, 0, 0},
     2,
     3},
    {"model.transformer_module.decoder.layers.#.self_attn.q_proj.bias",
     "sem_seg_head.predictor.transformer_self_attention_layers.#.self_attn.in_"
     "proj_bias",
     {0, 0, 0},
     0,
     3},
    {"model.transformer_module.decoder.layers.#.self_attn.k_proj.bias",
     "sem_seg_head.predictor.transformer_self_attention_layers.#.self_attn.in_"
     "proj_bias",
     {0, 0, 0},
     1,
     3},
    {"model.transformer_module.decoder.layers.#.self_attn.v_proj.bias",
     "sem_seg_head.predictor.transformer_self_attention_layers.#.self_attn.in_"
     "proj_bias",
     {0, 0, 0},
     2,
     3},
    {"model.transformer_module.decoder.layers.#.self_attn.out_proj.*",
     "sem_seg_head.predictor.transformer_self_attention_layers.#.self_attn.out_"
     "proj.*"},
    {"model.transformer_module.decoder.layers.#.self_attn_layer_norm.*",
     "sem_seg_head.predictor.transformer_self_attention_layers.#.norm.*"},
    {"model.transformer_module.decoder.layers.#.cross_attn.*",
     "sem_seg_head.predictor.transformer_cross_attention_layers.#.multihead_"
     "attn.*"},
    {"model.transformer_module.decoder.layers.#.cross_attn_layer_norm.*",
     "sem_seg_head.predictor.transformer_cross_attention_layers.#.norm.*"},
    {"model.transformer_module.decoder.layers.#.fc1.*",
     "sem_seg_head.predictor.transformer_ffn_layers.#.linear1.*"},
    {"model.transformer_module.decoder.layers.#.fc2.*",
     "sem_seg_head.predictor.transformer_ffn_layers.#.linear2.*"},
    {"model.transformer_module.decoder.layers.#.final_layer_norm.*",
     "sem_seg_head.predictor.transformer_ffn_layers.#.norm.*"},
    {"model.transformer_module.decoder.layernorm.*",
     "sem_seg_head.predictor.decoder_norm.*"},
    {"model.transformer_module.decoder.mask_predictor.mask_embedder.#.0.*",
     "sem_seg_head.predictor.mask_embed.layers.#.*"},
    {"class_predictor.*", "sem_seg_head.predictor.class_embed.*"},
    {"criterion.empty_weight", "criterion.empty_weight"},
    {"model.pixel_level_module.decoder.adapter_1.0.*",
     "sem_seg_head.pixel_decoder.adapter_1.*"},
    {"model.pixel_level_module.decoder.layer_1.0.*",
     "sem_seg_head.pixel_decoder.layer_1.*"},
};

constexpr NameRule kHuggingFaceSwin[] = {
    {"model.pixel_level_module.encoder.embeddings.patch_embeddings.projection."
     "*",
     "backbone.patch_embed.proj.*"},
    {"model.pixel_level_module.encoder.embeddings.norm.*",
     "backbone.patch_embed.norm.*"},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.layernorm_"
     "before.*",
     "backbone.layers.#.blocks.#.norm1.*"},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.layernorm_"
     "after.*",
     "backbone.layers.#.blocks.#.norm2.*"},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.attention."
     "self.query.weight",
     "backbone.layers.#.blocks.#.attn.qkv.weight",
     {0, 0, 0},
     0,
     3},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.attention."
     "self.key.weight",
     "backbone.layers.#.blocks.#.attn.qkv.weight",
     {0, 0, 0},
     1,
     3},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.attention."
     "self.value.weight",
     "backbone.layers.#.blocks.#.attn.qkv.weight",
     {0, 0, 0},
     2,
     3},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.attention."
     "self.query.bias",
     "backbone.layers.#.blocks.#.attn.qkv.bias",
     {0, 0, 0},
     0,
     3},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.attention."
     "self.key.bias",
     "backbone.layers.#.blocks.#.attn.qkv.bias",
     {0, 0, 0},
     1,
     3},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.attention."
     "self.value.bias",
     "backbone.layers.#.blocks.#.attn.qkv.bias",
     {0, 0, 0},
     2,
     3},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.attention."
     "self.relative_position_bias_table",
     "backbone.layers.#.blocks.#.attn.relative_position_bias_table"},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.attention."
     "self.relative_position_index",
     "backbone.layers.#.blocks.#.attn.relative_position_index"},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.attention."
     "output.dense.*",
     "backbone.layers.#.blocks.#.attn.proj.*"},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.intermediate."
     "dense.*",
     "backbone.layers.#.blocks.#.mlp.fc1.*"},
    {"model.pixel_level_module.encoder.encoder.layers.#.blocks.#.output.dense."
     "*",
     "backbone.layers.#.blocks.#.mlp.fc2.*"},
    {"model.pixel_level_module.encoder.encoder.layers.#.downsample.*",
     "backbone.layers.#.downsample.*"},
    {"model.pixel_level_module.encoder.hidden_states_norms.stage#.*",
     "backbone.norm#.*",
     {-1, 0, 0}},
};

constexpr NameRule kHuggingFaceResNet[] = {
    {"model.pixel_level_module.encoder.embedder.embedder.normalization.*",
     "backbone.stem.conv1.norm.*"},
    {"model.pixel_level_module.encoder.embedder.embedder.convolution.*",
     "backbone.stem.conv1.*"},
    {"model.pixel_level_module.encoder.encoder.stages.#.layers.#.layer.#."
     "normalization.*",
     "backbone.res#.#.conv#.norm.*",
     {2, 0, 1}},
    {"model.pixel_level_module.encoder.encoder.stages.#.layers.#.layer.#."
     "convolution.*",
     "backbone.res#.#.conv#.*",
     {2, 0, 1}},
    {"model.pixel_level_module.encoder.encoder.stages.#.layers.#.shortcut."
     "normalization.*",
     "backbone.res#.#.shortcut.norm.*",
     {2, 0, 0}},
    {"model.pixel_level_module.encoder.encoder.stages.#.layers.#.shortcut."
     "convolution.*",
     "backbone.res#.#.shortcut.*",
     {2, 0, 0}},
};

constexpr NameRule kTorchvision[] = {
    {"bn1.*", "backbone.stem.conv1.norm.*"},
    {"conv1.*", "backbone.stem.conv1.*"},
    {"layer#.#.bn#.*", "backbone.res#.#.conv#.norm.*", {1, 0, 0}},
    {"layer#.#.conv#.*", "backbone.res#.#.conv#.*", {1, 0, 0}},
    {"layer#.#.downsample.1.*", "backbone.res#.#.shortcut.norm.*", {1, 0, 0}},
    {"layer#.#.downsample.0.*", "backbone.res#.#.shortcut.*", {1, 0, 0}},
};

constexpr NameRule kBackbone[] = {
    {"stem.conv1.*", "backbone.stem.conv1.*"},
    {"res#.*", "backbone.res#.*"},
};

constexpr NameRule kSwin[] = {
    {"patch_embed.*", "backbone.patch_embed.*"},
    {"layers.#.*", "backbone.layers.#.*"},
    {"norm#.*", "backbone.norm#.*"},
};

std::vector<NameRule> Joined(absl::Span<const NameRule> first,
                             absl::Span<const NameRule> second) {
  std::vector<NameRule> all(first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

}  // namespace

absl::Span<const NameRule> HuggingFaceSwinNames() {
  static const auto* const kRules =
      new std::vector<NameRule>(Joined(kHuggingFaceSwin, kHuggingFaceHead));
  return *kRules;
}

absl::Span<const NameRule> HuggingFaceResNetNames() {
  static const auto* const kRules =
      new std::vector<NameRule>(Joined(kHuggingFaceResNet, kHuggingFaceHead));
  return *kRules;
}

absl::Span<const NameRule> TorchvisionNames() { return kTorchvision; }

absl::Span<const NameRule> BackboneNames() { return kBackbone; }

absl::Span<const NameRule> SwinNames() { return kSwin; }

}  // namespace mask2former
