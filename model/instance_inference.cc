#include "mask2former/model/instance_inference.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/softmax.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "mask2former/model/resize_maps.h"

namespace mask2former {
namespace {

struct QueryMask {
  at::Tensor mask;
  float quality = 0;  // Mean of the mask's probability over its pixels.
};

QueryMask MakeMask(const at::Tensor& logits) {
  const at::Tensor mask = logits.gt(0);
  const at::Tensor weights = mask.to(at::kFloat);
  const at::Tensor quality =
      (logits.sigmoid() * weights).sum() / (weights.sum() + 1e-6);
  return {mask.cpu(), quality.item<float>()};
}

}  // namespace

std::vector<InstancePrediction> InstanceInference(
    const MaskPrediction& prediction, int64_t index, const ImageSize& padded,
    const ImageSize& image, const ImageSize& output,
    const InstanceOptions& options) {
  const at::Tensor all =
      at::softmax(prediction.class_logits[index].to(at::kFloat), -1).cpu();
  const int64_t classes = all.size(-1) - 1;
  TORCH_CHECK(options.is_thing.empty() ||
                  static_cast<int64_t>(options.is_thing.size()) == classes,
              "options.is_thing has ", options.is_thing.size(),
              " entries, but the model has ", classes, " classes");
  const at::Tensor scores = all.narrow(-1, 0, classes).flatten();
  const auto [best, pairs] =
      scores.topk(std::min(options.top_k, scores.size(0)));

  std::map<int64_t, QueryMask> masks;  // By query.
  std::vector<InstancePrediction> instances;
  for (int64_t i = 0; i < best.size(0); ++i) {
    const auto pair = pairs[i].item<int64_t>();
    InstancePrediction instance;
    instance.query = pair / classes;
    instance.category = pair % classes;
    if (!options.is_thing.empty() && !options.is_thing[instance.category]) {
      continue;
    }
    auto found = masks.find(instance.query);
    if (found == masks.end()) {
      const at::Tensor logits = prediction.mask_logits[index]
                                    .narrow(0, instance.query, 1)
                                    .to(at::kFloat);
      found =
          masks
              .emplace(instance.query, MakeMask(ResizeToOutput(
                                           logits, padded, image, output)[0]))
              .first;
    }
    instance.mask = found->second.mask;
    // In single precision, as the network computes.
    instance.score = best[i].item<float>() * found->second.quality;
    instances.push_back(std::move(instance));
  }
  std::sort(instances.begin(), instances.end(),
            [](const InstancePrediction& a, const InstancePrediction& b) {
              return std::make_tuple(-a.score, a.query, a.category) <
                     std::make_tuple(-b.score, b.query, b.category);
            });
  return instances;
}

}  // namespace mask2former
