#ifndef MASK2FORMER_TOOLS_CONVERT_WEIGHTS_CONVERT_H_
#define MASK2FORMER_TOOLS_CONVERT_WEIGHTS_CONVERT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/model/checkpoint.h"
#include "mask2former/model/model_config.pb.h"
#include "mask2former/model/weights/weights_report.h"

namespace mask2former {

struct ConvertOptions {
  std::string input;  // As ReadWeightFile().
  // What is written is told by the ending: .safetensors, .pth (or .pt), or none
  // for a folder of Hugging Face's.
  std::string output;
  // With a model, its weights are written, all of them and no others.
  std::optional<ModelConfig> model;
  OnMismatch on_mismatch = OnMismatch::kFail;
  // Of the model, by class number. Empty: the file's if their number fits, else
  // Cityscapes' for 19 classes and, of its things, for 8.
  std::vector<std::string> class_names;
  // Of the file, if it has none.
  std::vector<std::string> input_class_names;
};

// Reads weights of any kind and writes them with official, or as a folder with
// Hugging Face's names.
//
//   .safetensors  as this repository writes them
//   .pth          {"model": ..}, for torch.load() and detectron2
//   a folder      model.safetensors and config.json for from_pretrained();
//                 needs a model
//
// Returns a report of what fit the model (without one, of what was translated),
// InvalidArgument, with a table of what did not, if on_mismatch is kFail.
absl::StatusOr<WeightsReport> ConvertWeights(const ConvertOptions& options);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_CONVERT_WEIGHTS_CONVERT_H_
