#ifndef MASK2FORMER_TRAIN_BANNER_H_
#define MASK2FORMER_TRAIN_BANNER_H_

#include <cstdint>
#include <string>

namespace torch::nn {
class Module;
}  // namespace torch::nn

namespace mask2former {

// What a person wants to see before a long run.
struct BannerInfo {
  std::string backbone;   // "resnet 50"
  std::string device;     // "cpu"
  std::string precision;  // "float32"
  int num_threads = 1;
  int64_t seed = 0;
  int64_t train_images = 0;
  int64_t val_images = 0;
  int64_t global_batch_size = 1;
  int64_t micro_batch_size = 0;  // 0: the whole batch.
  int64_t max_iter = 0;
  bool trains_batch_norm = false;  // Statistics over a micro batch.
  std::string data_root;
  std::string output_dir;
};

// A few lines: model and parameters by piece, device, effective batch, passes
// over the data, where things are. Warns of batch norm over fewer than 4
// images.
std::string Banner(const BannerInfo& info, const torch::nn::Module& model);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_BANNER_H_
