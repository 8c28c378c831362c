#include "mask2former/configs/testing/official_configs.h"

namespace mask2former {
namespace {

// One per backbone, as the semantic configuration of 100 queries has it.
std::vector<OfficialConfig> Backbones() {
  const auto resnet = [](const char* name, int depth) {
    OfficialConfig config;
    config.name = name;
    config.path = "maskformer2_" + std::string(name) + "_bs16_90k.textproto";
    config.resnet_depth = depth;
    return config;
  };
  const auto swin = [](const char* name, const char* file, int channels,
                       const char* depths, const char* heads, int window) {
    OfficialConfig config;
    config.name = name;
    config.path =
        "swin/maskformer2_swin_" + std::string(file) + "_bs16_90k.textproto";
    config.embed_channels = channels;
    config.depths = depths;
    config.num_heads = heads;
    config.window = window;
    return config;
  };
  std::vector<OfficialConfig> configs = {
      resnet("R50", 50),
      resnet("R101", 101),
      swin("SwinT", "tiny", 96, "2 2 6 2", "3 6 12 24", 7),
      swin("SwinS", "small", 96, "2 2 18 2", "3 6 12 24", 7),
      swin("SwinB", "base_IN21k_384", 128, "2 2 18 2", "4 8 16 32", 12),
      swin("SwinL", "large_IN21k_384", 192, "2 2 18 2", "6 12 24 48", 12),
  };
  const int64_t parameters[] = {44007700, 62999828,  47405966,
                                68723870, 106888524, 215455112};
  const OfficialGroup backbone[] = {{53, 23454912},  {104, 42394816},
                                    {101, 27471264}, {197, 48746400},
                                    {197, 86622080}, {197, 194813760}};
  const OfficialGroup backbone_without_decay[] = {{106, 53120},  {208, 105344},
                                                  {76, 49434},   {136, 92202},
                                                  {136, 258296}, {136, 387444}};
  const int64_t head[] = {20424660, 20424660, 19810260,
                          19810260, 19933140, 20178900};
  for (size_t i = 0; i < configs.size(); ++i) {
    configs[i].parameters = parameters[i];
    configs[i].backbone = backbone[i];
    configs[i].backbone_without_decay = backbone_without_decay[i];
    configs[i].head = {199, head[i]};
    configs[i].head_without_decay = {93, 75008};
  }
  return configs;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const OfficialConfig& config) {
  return out << config.path;
}

std::vector<OfficialConfig> OfficialConfigs() {
  std::vector<OfficialConfig> configs;
  for (const char* task : {"semantic", "instance", "panoptic"}) {
    for (OfficialConfig config : Backbones()) {
      config.task = task;
      config.name = config.task + config.name;
      config.path =
          "configs/cityscapes/" + config.task + "-segmentation/" + config.path;
      if (config.task == "instance") {
        config.num_classes = 8;
        // 11 rows of the classifier less.
        config.parameters -= 11 * 257;
        config.head.elements -= 11 * 257;
      }
      if (config.task != "semantic" && config.embed_channels == 192) {
        config.num_queries = 200;
        // Of two embeddings.
        config.parameters += 2 * 100 * 256;
        config.head_without_decay.elements += 2 * 100 * 256;
      }
      configs.push_back(config);
    }
  }
  return configs;
}

}  // namespace mask2former
