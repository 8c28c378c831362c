#ifndef MASK2FORMER_CONFIGS_LOAD_SEGMENTOR_H_
#define MASK2FORMER_CONFIGS_LOAD_SEGMENTOR_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "mask2former/configs/experiment.pb.h"

namespace mask2former {

class Segmentor;

// The weight file that `weights` means:
//
//   a file              itself, of any kind that ReadWeightFile() knows
//   a folder of Hugging Face's save_pretrained()   its weights
//   a checkpoint        the folder's model.safetensors
//   a run's output_dir  that of its newest checkpoint
//
// Returns NotFound, saying what was looked for, if there is none.
absl::StatusOr<std::string> FindWeights(const std::string& weights);

// Makes the trained model of an experiment, in evaluation mode, on the device
// that `trainer` wants, with as many CPU threads as it wants.
//
//   weights  as FindWeights(); empty means experiment.output_dir. Both relative
//            to where the user stood.
//
// Returns InvalidArgument if a name or shape in the file differs from the
// model's, or as BuildSegmentor() and FindWeights().
absl::StatusOr<std::shared_ptr<Segmentor>> LoadSegmentor(
    const Experiment& experiment, const std::string& weights);

}  // namespace mask2former

#endif  // MASK2FORMER_CONFIGS_LOAD_SEGMENTOR_H_
