#ifndef MASK2FORMER_TRAIN_FOLDER_VALIDATION_H_
#define MASK2FORMER_TRAIN_FOLDER_VALIDATION_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/data/folder_dataset.h"
#include "mask2former/model/model_config.pb.h"
#include "mask2former/train/interrupt.h"
#include "mask2former/train/trainer.h"

namespace mask2former {

class Segmentor;

// Scores a model on pictures of a user's own (data.folder): IoU and accuracy of
// each class, their means; leaves them in eval/step_N/metrics.json.
//
// Classes that no label shows count for nothing, as in GenericMetrics.
class FolderValidation final : public Trainer::Validation {
 public:
  // The arguments outlive it.
  FolderValidation(const InputConfig& input, const InferenceConfig& inference,
                   const std::string& output_dir, const FolderDataset& pictures,
                   const InterruptGuard& interrupt, Segmentor& segmentor);

  absl::StatusOr<EvaluationRecord> Run(int64_t iteration) override;
  absl::Status MarkDone(int64_t iteration) override;
  bool IsDone(int64_t iteration) const override;

 private:
  std::string MetricsPath(int64_t iteration) const;

  const InputConfig& input_;
  const InferenceConfig& inference_;
  const std::string output_dir_;
  const FolderDataset& pictures_;
  const InterruptGuard& interrupt_;
  Segmentor& segmentor_;
  std::string json_;  // Of the newest evaluation.
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_FOLDER_VALIDATION_H_
