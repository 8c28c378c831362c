#ifndef MASK2FORMER_MODEL_CHECKPOINT_H_
#define MASK2FORMER_MODEL_CHECKPOINT_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/model/weights/weights_report.h"

namespace torch::nn {
class Module;
}  // namespace torch::nn

namespace mask2former {

// What to do with names and shapes that do not fit.
enum class OnMismatch {
  kFail,   // Change nothing.
  kSkip,   // Leave them as they are.
  kSlice,  // As kSkip, but of tensors of another shape take what both have.
};

struct LoadOptions {
  OnMismatch on_mismatch = OnMismatch::kFail;
  // Whether the weights of an image classifier will do, which start a backbone
  // and leave the rest as it was initialised.
  bool allow_backbone_only = false;
  // The model's classes by number, without "no object"; may be empty. kSlice
  // takes rows of the classifier by name if the file has names, too.
  std::vector<std::string> class_names;
  // Those of the file, for one that does not say them itself.
  std::vector<std::string> file_class_names;
};

// The parameters and buffers of `module` by name, sharing its memory.
std::map<std::string, at::Tensor> NamedState(const torch::nn::Module& module);

// Copies `tensors` into the parameters and buffers of `module` that have their
// names. Entries that training alone needs (criterion.empty_weight), counters
// that old files lack (num_batches_tracked) and what follows from the config
// (relative_position_index) are neither missing nor unexpected.
//
// Strict: changes nothing and returns InvalidArgument with the report unless
// every name matches. Otherwise copies what matches and reports the rest.
absl::StatusOr<WeightsReport> LoadState(
    const std::map<std::string, at::Tensor>& tensors, bool strict,
    torch::nn::Module& module);

// The same from a weight file of any format and naming that ReadWeightFile()
// and ToOfficialNames() know. Floating-point types are converted. The file is
// mapped and leaves memory as it is copied, so that beside the model only a
// tensor of it is held at a time.
//
// Returns also what those functions return; every message names the file.
absl::StatusOr<WeightsReport> LoadWeights(const std::string& path,
                                          const LoadOptions& options,
                                          torch::nn::Module& module);

// LoadWeights() with nothing but on_mismatch: kFail if `strict`, else kSkip.
absl::StatusOr<WeightsReport> LoadWeights(const std::string& path, bool strict,
                                          torch::nn::Module& module);

// Writes all parameters and buffers as safetensors, atomically.
absl::Status SaveWeights(const std::string& path,
                         const torch::nn::Module& module,
                         const std::map<std::string, std::string>& metadata);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_CHECKPOINT_H_
