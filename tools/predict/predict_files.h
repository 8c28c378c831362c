#ifndef MASK2FORMER_TOOLS_PREDICT_PREDICT_FILES_H_
#define MASK2FORMER_TOOLS_PREDICT_PREDICT_FILES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/eval/eval_config.pb.h"
#include "mask2former/eval/visualize.h"
#include "mask2former/model/model_config.pb.h"
#include "mask2former/tools/predict/input_files.h"
#include "mask2former/tools/predict/prediction_files.h"

namespace mask2former {

class Segmentor;

struct PredictOptions {
  std::string output;  // Folder.
  std::vector<PredictionFile> kinds;
  int confidence_bits = 8;  // Or 16.
  // Otherwise pictures all of whose files are there are skipped.
  bool overwrite = false;
  // Of the classes of data.folder; empty: the model knows those of Cityscapes.
  ClassColors own_colors;
  InputConfig input;  // The test sizes of it.
  InferenceConfig inference;
  // If enabled, for kinds of the semantic task; there is no raw output then.
  TestTimeAugmentation tta;
};

struct PredictSummary {
  int64_t done = 0;
  int64_t skipped = 0;
  int64_t failed = 0;
  double seconds =
      0;  // For those done and failed, reading and writing included.

  // "12 pictures in 3.0 s: 4.00 images/s; 2 skipped, 1 failed"
  std::string ToString() const;
};

// Labels each picture and writes its files; the next one is read meanwhile. A
// picture that cannot be read, labelled or written is logged as an error and
// the rest goes on.
//
// Returns InvalidArgument for options out of range, before anything is read.
absl::StatusOr<PredictSummary> PredictFiles(absl::Span<const InputFile> files,
                                            const PredictOptions& options,
                                            Segmentor& segmentor);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_PREDICT_PREDICT_FILES_H_
