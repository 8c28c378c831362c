#ifndef MASK2FORMER_MODEL_CHECKPOINT_H_
#define MASK2FORMER_MODEL_CHECKPOINT_H_

#include <torch/nn/module.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mask2former {

// What became of a weight file's tensors and a model's entries.
struct WeightsReport {
  std::vector<std::string> matched;
  std::vector<std::string> missing;     // In the model, not in the file.
  std::vector<std::string> unexpected;  // In the file, not in the model.
  // "name: file [20, 256], model [6, 256]".
  std::vector<std::string> mismatched;

  bool complete() const {
    return missing.empty() && unexpected.empty() && mismatched.empty();
  }

  // One line with the counts, then up to `limit` names of each kind.
  std::string ToString(size_t limit = 5) const;
};

// The parameters and buffers of `module` by name, sharing its memory.
std::map<std::string, at::Tensor> NamedState(const torch::nn::Module& module);

// Copies `tensors` into the parameters and buffers of `module` that have their
// names. Entries that training alone needs (criterion.empty_weight) and
// counters that old files lack (num_batches_tracked) are neither missing nor
// unexpected.
//
// Strict: changes nothing and returns InvalidArgument with the report unless
// every name matches. Otherwise copies what matches and reports the rest.
absl::StatusOr<WeightsReport> LoadState(
    const std::map<std::string, at::Tensor>& tensors, bool strict,
    torch::nn::Module& module);

// LoadState() from a safetensors file.
//
// Returns also what ReadSafetensors() returns.
absl::StatusOr<WeightsReport> LoadWeights(const std::string& path, bool strict,
                                          torch::nn::Module& module);

// Writes all parameters and buffers as safetensors, atomically.
absl::Status SaveWeights(const std::string& path,
                         const torch::nn::Module& module,
                         const std::map<std::string, std::string>& metadata);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_CHECKPOINT_H_
