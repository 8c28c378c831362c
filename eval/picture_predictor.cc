#include "mask2former/eval/picture_predictor.h"

#include <ATen/core/grad_mode.h>

#include "mask2former/model/segmentor.h"

namespace mask2former {

PicturePrediction PredictPicture(Segmentor& segmentor,
                                 const InferenceConfig& config,
                                 const NetworkClasses& classes,
                                 const at::Tensor& image,
                                 const ImageSize& output, bool with_scores) {
  const at::NoGradGuard no_grad;
  const QueryPrediction queries = PredictQueries(segmentor, config, image);
  PicturePrediction result = {{queries, {}, {}}, {}, {}};
  if (config.semantic_on()) {
    static_cast<SemanticPrediction&>(result) =
        LabelPixels(queries, config, output, with_scores);
  }
  if (config.panoptic_on()) {
    PanopticOptions options;
    options.object_mask_threshold = config.object_mask_threshold();
    options.overlap_threshold = config.overlap_threshold();
    options.is_thing = classes.is_thing;
    result.panoptic =
        PanopticInference(queries.queries, /*index=*/0, queries.padded,
                          queries.image, output, options);
  }
  if (config.instance_on()) {
    InstanceOptions options;
    options.top_k = config.top_k();
    options.is_thing = classes.is_thing;
    result.instances =
        InstanceInference(queries.queries, /*index=*/0, queries.padded,
                          queries.image, output, options);
  }
  return result;
}

}  // namespace mask2former
