#ifndef MASK2FORMER_CONFIGS_TESTING_OFFICIAL_CONFIGS_H_
#define MASK2FORMER_CONFIGS_TESTING_OFFICIAL_CONFIGS_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace mask2former {

// Tensors and elements of the parameters of one learning rate and weight decay.
struct OfficialGroup {
  int64_t tensors = 0;
  int64_t elements = 0;
};

// What differs between the official Cityscapes configurations, and sizes of
// their models: counted on the published implementation.
struct OfficialConfig {
  std::string name;  // For test names.
  std::string path;
  std::string task;  // semantic, instance or panoptic
  int num_classes = 19;
  int num_queries = 100;

  int resnet_depth = 0;  // 0: a Swin, which has what follows.
  int embed_channels = 0;
  std::string depths, num_heads;
  int window = 0;

  int64_t parameters = 0;
  OfficialGroup backbone, backbone_without_decay;
  OfficialGroup head, head_without_decay;
};

// Keeps failures readable.
std::ostream& operator<<(std::ostream& out, const OfficialConfig& config);

std::vector<OfficialConfig> OfficialConfigs();

}  // namespace mask2former

#endif  // MASK2FORMER_CONFIGS_TESTING_OFFICIAL_CONFIGS_H_
