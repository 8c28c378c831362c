// A training run on disk, so that it can go on where it stopped.
//
// DIR/checkpoints/step_20/
//   model.safetensors     weights and buffers, loads anywhere
//   training.safetensors  optimizer moments, random states; iteration and data
//                         position in its metadata
//   config.textproto      what the run was configured with
//
// See docs/checkpoint_format.md.

#ifndef MASK2FORMER_TRAIN_RUN_CHECKPOINT_H_
#define MASK2FORMER_TRAIN_RUN_CHECKPOINT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/data/sampler.h"

namespace torch::nn {
class Module;
}  // namespace torch::nn

namespace mask2former {

// What a run needs besides the model's weights.
struct TrainingState {
  int64_t iteration = 0;  // Optimizer steps done.
  int64_t seed = 0;       // That the run was started with.
  SamplerState sampler;   // Images taken from the data stream.

  // By name: moments of the optimizer, states of random generators (uint8).
  std::map<std::string, at::Tensor> tensors;

  std::string config;  // Text.
};

// Writes DIR/checkpoints/step_<n>, whole or not at all, then removes all
// but the newest `keep` (0: removes none). What a killed program left half
// written goes first.
//
// Returns its path, or the error of the file system; the checkpoints that were
// there stay then.
absl::StatusOr<std::string> SaveRunCheckpoint(const std::string& directory,
                                              const torch::nn::Module& model,
                                              const TrainingState& state,
                                              int keep);

// The complete checkpoints of DIR, oldest first; none if there is no such
// folder. Returns the error of the file system if it cannot be read.
absl::StatusOr<std::vector<std::string>> ListRunCheckpoints(
    const std::string& directory);

// Reads one checkpoint: all but the model's weights, and these.
//
// Returns DataLoss or the reader's error, and what to do, if a file is damaged.
absl::StatusOr<TrainingState> ReadTrainingState(const std::string& checkpoint);
absl::Status LoadRunWeights(const std::string& checkpoint,
                            torch::nn::Module& model);
}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_RUN_CHECKPOINT_H_
