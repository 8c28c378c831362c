#include "mask2former/train/testing/tiny_run.h"

#include <ATen/ATen.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/matcher/build_matcher.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/testing/tiny_model_config.h"
#include "mask2former/train/criterion/set_criterion.h"
#include "mask2former/train/optimizer/build_optimizer.h"

namespace mask2former {

TrainStep TinyTrainStep(const TinyOptions& options) {
  at::manual_seed(3);
  ModelConfig model = TinyModelConfig();
  if (options.frozen_batch_norm) {
    model.mutable_backbone()->mutable_resnet()->set_norm(
        ResNetConfig::FROZEN_BN);
  }
  std::shared_ptr<Segmentor> segmentor = BuildSegmentor(model).value();
  SolverConfig solver;
  solver.set_base_lr(2e-3);
  solver.set_backbone_multiplier(1);
  solver.set_max_iter(options.max_iter);
  CriterionConfig criterion;
  criterion.set_num_points(256);
  return TrainStep(segmentor,
                   BuildMatcher(ParseTextProtoOrDie<MatcherConfig>(
                                    "hungarian { num_points: 256 }"))
                       .value(),
                   SetCriterion::Create(criterion).value(),
                   BuildOptimizer(solver, *segmentor).value(),
                   options.micro_batch_size, options.precision);
}

ImageBatch TinyBatch(int64_t count) {
  ImageBatch batch;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t targets = i % 4;
    at::Tensor image = at::full({3, 64, 64}, 90, at::kByte);
    MaskTarget target{at::arange(targets) * 3 + i,
                      at::zeros({targets, 64, 64}, at::kBool)};
    for (int64_t t = 0; t < targets; ++t) {
      const int64_t y = 4 + 20 * t, x = 8 + 5 * i;
      target.masks[t].slice(0, y, y + 16).slice(1, x, x + 40).fill_(true);
      image.slice(1, y, y + 16).slice(2, x, x + 40, t + 1).fill_(60 * t + 30);
    }
    batch.images.push_back(image);
    batch.targets.push_back(target);
    batch.names.push_back(absl::StrCat("image", i));
  }
  return batch;
}

}  // namespace mask2former
