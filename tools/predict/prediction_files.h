#ifndef MASK2FORMER_TOOLS_PREDICT_PREDICTION_FILES_H_
#define MASK2FORMER_TOOLS_PREDICT_PREDICTION_FILES_H_

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/eval/picture_predictor.h"
#include "mask2former/eval/visualize.h"
#include "mask2former/model/model_config.pb.h"

namespace mask2former {

// What may be kept of a prediction. All are of the picture's size, but kRaw.
enum class PredictionFile {
  // STEM_overlay.png: 8-bit RGB, the classes' colours over the picture.
  kOverlay,
  // STEM_label_ids.png: 8-bit gray, Cityscapes label ids 0..33; what the
  // benchmark's server and //eval:score take.
  kLabelIds,
  // STEM_train_ids.png: 8-bit gray, 0 .. K - 1.
  kTrainIds,
  // STEM_color.png: 8-bit RGB, the classes' colours.
  kColor,
  // STEM_confidence.png: 8-bit gray, 255 c, or 16-bit gray, 65535 c, rounded,
  // where c in 0..1 is the highest score of the pixel divided by the sum of all
  // classes' scores (0 where the sum is 0).
  kConfidence,
  // STEM_raw.safetensors: pred_logits [Q, K + 1] and pred_masks [Q, h, w],
  // float32 as the network returned them, before any resize. The metadata has
  // "height" and "width" of the picture, "input_height" and "input_width" as
  // the network took it, "padded_height" and "padded_width" (pred_masks covers
  // these).
  kRaw,
  // STEM_raw_scores.safetensors: the same and sem_seg [K, height, width],
  // float32, the scores whose argmax is the label.
  kRawScores,
  // STEM_panoptic.json and a PNG in STEM_panoptic/: segments in COCO's panoptic
  // format with label ids as categories, see PanopticFileWriter.
  kPanoptic,
  // STEM_panoptic_overlay.png: 8-bit RGB, the segments over the picture.
  kPanopticOverlay,
  // STEM_instances/: NAME_pred.txt and a mask for each instance, see
  // InstanceFileWriter. NAME is the picture's, without blanks.
  kInstances,
  // STEM_instance_overlay.png: 8-bit RGB, the instances with a score of at
  // least 0.5 over the picture.
  kInstanceOverlay,
};

// Reads a list such as "overlay,label_ids,raw": names as above, in lower case
// with underscores.
//
// Returns InvalidArgument with the nearest name for an unknown one.
absl::StatusOr<std::vector<PredictionFile>> ParsePredictionFiles(
    absl::string_view list);

// What is kept if nobody says: the overlay of each task that `config` switches
// on; with test-time augmentation, which only the semantic task has, its
// overlay.
std::vector<PredictionFile> DefaultPredictionFiles(
    const InferenceConfig& config, bool test_time_augmentation);

// Whether a prediction must have its scores for these.
bool NeedScores(const std::vector<PredictionFile>& kinds);

// Whether it is made of the labels or scores of pixels.
bool IsSemantic(PredictionFile kind);

// `config` with only the tasks switched on that these need; their results are
// the same.
//
// Returns InvalidArgument if one needs a task that `config` does not switch on.
absl::StatusOr<InferenceConfig> TasksFor(
    const std::vector<PredictionFile>& kinds, const InferenceConfig& config);

// The path of a kind of file below `folder`; of several files, the one written
// last.
std::string PredictionPath(absl::string_view folder, absl::string_view stem,
                           PredictionFile kind);

// Writes the files of one picture, each atomically, making folders as needed.
//
//   image            [H, W] CV_8UC3, R, G, B
//   prediction       of that picture, at its size; with scores if needed
//   confidence_bits  8 or 16 (checked)
//   own_colors       of the classes of a model for a user's own data; empty for
//                    those of Cityscapes
//
// Returns InvalidArgument if `kinds` needs the classes of Cityscapes but the
// model has others, or has not as many as `own_colors`; else the error of the
// file system.
absl::Status WritePredictionFiles(absl::string_view folder,
                                  absl::string_view stem, const cv::Mat& image,
                                  const PicturePrediction& prediction,
                                  const std::vector<PredictionFile>& kinds,
                                  int confidence_bits,
                                  const ClassColors& own_colors = {});

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_PREDICT_PREDICTION_FILES_H_
