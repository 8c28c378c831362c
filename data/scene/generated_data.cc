#include "mask2former/data/scene/generated_data.h"

#include <cstdint>

#include "mask2former/common/logging.h"
#include "mask2former/data/scene/write_cityscapes.h"

namespace mask2former {

absl::Status EnsureGeneratedData(const DataConfig& config) {
  if (!config.has_generated()) return absl::OkStatus();
  const GeneratedData& generated = config.generated();
  GenerateOptions options;
  options.root = config.root();
  options.splits = {{config.train_split(), generated.train_images()},
                    {config.val_split(), generated.val_images()}};
  options.scene.height = generated.height();
  options.scene.width = generated.width();
  options.seed = static_cast<uint64_t>(generated.seed());
  int64_t told = -1;
  options.progress = [&](int64_t done, int64_t total) {
    // Ten lines at most.
    if (done * 10 / total == told) return;
    told = done * 10 / total;
    LOG(INFO) << "drawing the data set in " << options.root << ": " << done
              << " of " << total;
  };
  return GenerateCityscapes(options);
}

}  // namespace mask2former
