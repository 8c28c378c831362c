// Labels every pixel of a picture:
//   segment_image CONFIG.textproto WEIGHTS.safetensors PICTURE LABELS.png

#include <iostream>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/eval/semantic_predictor.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/checkpoint.h"

namespace m2f = mask2former;

absl::Status Run(char** paths) {
  M2F_ASSIGN_OR_RETURN(const m2f::Experiment experiment,
                       m2f::ReadExperiment(paths[0], /*overrides=*/{}));
  M2F_ASSIGN_OR_RETURN(const std::shared_ptr<m2f::Segmentor> segmentor,
                       m2f::BuildSegmentor(experiment.model()));
  M2F_RETURN_IF_ERROR(
      m2f::LoadWeights(paths[1], /*strict=*/true, *segmentor).status());
  segmentor->eval();
  M2F_ASSIGN_OR_RETURN(const cv::Mat picture, m2f::ReadImageAsRgb(paths[2]));
  const m2f::SemanticPrediction prediction = m2f::PredictSemantic(
      *segmentor, experiment.model().inference(), m2f::ImageToTensor(picture),
      {picture.rows, picture.cols});
  return m2f::WritePngAtomically(paths[3], prediction.train_ids);
}

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: segment_image CONFIG WEIGHTS PICTURE LABELS\n";
    return 2;
  }
  const absl::Status status = Run(argv + 1);
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
