#ifndef MASK2FORMER_TRAIN_OPTIMIZER_PARAMETER_GROUPS_H_
#define MASK2FORMER_TRAIN_OPTIMIZER_PARAMETER_GROUPS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace torch::nn {
class Module;
}  // namespace torch::nn

namespace mask2former {

struct ParameterGroupOptions {
  double base_lr = 1e-4;
  double backbone_multiplier = 0.1;
  double weight_decay = 0.05;
  double weight_decay_norm = 0;
  double weight_decay_embed = 0;

  // A norm or an embedding that MakeParameterGroups() does not know. Empty:
  // there are none.
  std::function<bool(const torch::nn::Module&)> is_norm;
  std::function<bool(const torch::nn::Module&)> is_embedding;
};

// Parameters that are updated alike.
struct ParameterGroup {
  double lr = 0;  // At the start; a schedule multiplies it.
  double weight_decay = 0;
  std::vector<std::string> names;  // As root.named_parameters() spells them.
  std::vector<at::Tensor> parameters;

  int64_t NumElements() const;
};

// Sorts the parameters of `root` that require a gradient by learning rate and
// weight decay, in the order of their modules. Rules, later ones win:
//
//   lr            base_lr; times backbone_multiplier if the path of the owning
//                 module contains "backbone"
//   weight decay  weight_decay, biases of convolutions and linear maps
//   included;
//                 0 if the parameter's name contains
//                 "relative_position_bias_table" or "absolute_pos_embed";
//                 weight_decay_norm if the owner is a batch, group, instance,
//                 layer or local response norm; weight_decay_embed if it is an
//                 embedding
//
// The owner's type decides, LibTorch's or common/layers/batch_norm.h: an
// embedding that is a bare parameter is decayed. A tensor with two owners
// counts for the first.
//
// Source: Mask2Former, train_net.py, build_optimizer.
std::vector<ParameterGroup> MakeParameterGroups(
    const torch::nn::Module& root, const ParameterGroupOptions& options);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_OPTIMIZER_PARAMETER_GROUPS_H_
