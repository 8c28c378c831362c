#include "mask2former/model/instance_inference.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "mask2former/common/tensor_shape.h"
#include "mask2former/model/row_resizer.h"

namespace mask2former {
namespace {

constexpr int64_t kBandBytes = 2 << 20;

struct QueryMask {
  std::shared_ptr<const RunLengthMask> mask;
  float quality = 0;  // Mean of the mask's probability over its pixels.
};

// mask [n, W] bool
void AppendRows(const at::Tensor& mask, RunLengthMask& runs) {
  const at::Tensor rows = mask.cpu().contiguous();
  runs.AppendRows(reinterpret_cast<const uint8_t*>(rows.const_data_ptr()),
                  rows.size(0));
}

// map [1, h, w]
QueryMask MakeMask(const at::Tensor& map, const RowResizer& resizer,
                   const ImageSize& output) {
  const int64_t at_once = resizer.RowsWithin(kBandBytes, 1);
  RunLengthMask runs(output.width);
  double probability = 0;
  for (int64_t y = 0; y < output.height; y += at_once) {
    const at::Tensor logits =
        resizer.Rows(map, y, std::min(at_once, output.height - y))[0];
    const at::Tensor mask = logits.gt(0);
    AppendRows(mask, runs);
    probability += (logits.sigmoid() * mask).sum().item<double>();
  }
  const double area = static_cast<double>(runs.area());
  // A copy has no spare capacity.
  return {std::make_shared<RunLengthMask>(runs),
          static_cast<float>(probability / (area + 1e-6))};
}

}  // namespace

RunLengthMask EncodeMask(const at::Tensor& mask) {
  CheckShape(mask, "mask", {kAny, kAny});
  TORCH_CHECK(mask.scalar_type() == at::kBool, "mask must be bool, got ",
              mask.scalar_type());
  RunLengthMask runs(mask.size(1));
  AppendRows(mask, runs);
  return runs;
}

at::Tensor DecodeMask(const RunLengthMask& mask) {
  const at::Tensor pixels = at::empty({mask.height(), mask.width()}, at::kBool);
  mask.Decode(static_cast<uint8_t*>(pixels.mutable_data_ptr()));
  return pixels;
}

std::vector<InstancePrediction> InstanceInference(
    const MaskPrediction& prediction, int64_t index, const ImageSize& padded,
    const ImageSize& image, const ImageSize& output,
    const InstanceOptions& options) {
  const at::NoGradGuard no_grad;
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
  const at::Tensor maps = prediction.mask_logits[index];  // [Q, h, w]
  const RowResizer resizer({maps.size(1), maps.size(2)}, padded, image, output,
                           maps.device());

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
      const at::Tensor map = maps.narrow(0, instance.query, 1).to(at::kFloat);
      found =
          masks.emplace(instance.query, MakeMask(map, resizer, output)).first;
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
