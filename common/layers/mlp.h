#ifndef MASK2FORMER_COMMON_LAYERS_MLP_H_
#define MASK2FORMER_COMMON_LAYERS_MLP_H_

#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/types.h>

#include <cstdint>

namespace mask2former {

// Linear maps with a ReLU between each two. Parameters are layers.I.weight and
// layers.I.bias.
class Mlp final : public torch::nn::Module {
 public:
  // in -> hidden -> .. -> hidden -> out, `num_layers` (>= 1) linear maps.
  Mlp(int64_t in_channels, int64_t hidden_channels, int64_t out_channels,
      int64_t num_layers);

  // [.., in_channels] -> [.., out_channels]
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::ModuleList layers_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_LAYERS_MLP_H_
