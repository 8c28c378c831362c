#ifndef MASK2FORMER_MODEL_WEIGHTS_WEIGHT_FILE_H_
#define MASK2FORMER_MODEL_WEIGHTS_WEIGHT_FILE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/mapped_file.h"
#include "mask2former/model/weights/raw_tensor.h"

namespace mask2former {

// Something in a file that is not used.
struct IgnoredEntry {
  std::string name;
  std::string reason;
};

// The tensors of a weight file under the names they have there, mapped, not
// copied.
struct WeightFile {
  std::string format;  // "safetensors", "PyTorch zip", ..
  std::map<std::string, RawTensor> tensors;
  std::map<std::string, std::string> metadata;
  std::vector<IgnoredEntry> ignored;
  // By class number; empty if the file does not say. From safetensors metadata
  // "class_names" (a JSON list) or the id2label of a config.json beside it.
  std::vector<std::string> class_names;
  std::vector<std::shared_ptr<const MappedFile>> files;
};

// Reads weights of any kind, told apart by their first bytes, not by their
// name:
//
//   safetensors, alone or in parts with an index (*.index.json)
//   torch.save, as a zip archive, in its form before 1.6, or as a tar archive
//   detectron2's .pkl: pickled NumPy arrays or LibTorch tensors
//   a folder with model.safetensors, pytorch_model.bin or their index
//
// Of a training checkpoint the entry "model" (or "state_dict") is taken, of
// dicts in dicts the names are joined with dots. Nothing in a file is run, and
// nothing is trusted: see ReadPickle(), ReadStoredZip(), ParseSafetensors().
// Memory beside the mapped file is at most 1 MiB + 512 bytes per byte of it.
//
// Returns InvalidArgument with path, place and reason for a malformed file;
// NotFound and the like if it cannot be read.
absl::StatusOr<WeightFile> ReadWeightFile(const std::string& path);

// The same for the bytes of one file, which `owner` keeps.
absl::StatusOr<WeightFile> ReadWeightBytes(absl::string_view bytes,
                                           std::shared_ptr<const void> owner);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_WEIGHT_FILE_H_
