#include "mask2former/model/panoptic_inference.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <map>
#include <tuple>

#include "mask2former/model/resize_maps.h"

namespace mask2former {
namespace {

struct Candidate {
  int64_t query = 0;
  int64_t category = 0;
  float score = 0;
  int64_t mask_area = 0;  // Where the mask is at least 0.5.
};

// The queries that count, in their order.
std::vector<Candidate> FindCandidates(const at::Tensor& class_logits,
                                      double threshold) {
  const auto [scores, categories] =
      at::softmax(class_logits.to(at::kFloat), -1).cpu().max(-1);
  const int64_t no_object = class_logits.size(-1) - 1;
  std::vector<Candidate> candidates;
  for (int64_t q = 0; q < scores.size(0); ++q) {
    const int64_t category = categories[q].item<int64_t>();
    const auto score = scores[q].item<float>();
    // Compared as the network computes, in single precision.
    if (category != no_object && score > static_cast<float>(threshold)) {
      candidates.push_back({q, category, score});
    }
  }
  return candidates;
}

}  // namespace

PanopticPrediction PanopticInference(const MaskPrediction& prediction,
                                     int64_t index, const ImageSize& padded,
                                     const ImageSize& image,
                                     const ImageSize& output,
                                     const PanopticOptions& options) {
  const at::Tensor class_logits = prediction.class_logits[index];
  TORCH_CHECK(class_logits.size(-1) - 1 ==
                  static_cast<int64_t>(options.is_thing.size()),
              "options.is_thing has ", options.is_thing.size(),
              " entries, but the model has ", class_logits.size(-1) - 1,
              " classes");
  std::vector<Candidate> candidates =
      FindCandidates(class_logits, options.object_mask_threshold);
  const auto on_device = prediction.mask_logits.options();
  // Per pixel: the best candidate yet, its weight, whether its mask is there.
  at::Tensor owner =
      at::full({output.height, output.width}, -1, on_device.dtype(at::kInt));
  at::Tensor best =
      at::full({output.height, output.width}, -1, on_device.dtype(at::kFloat));
  at::Tensor inside =
      at::zeros({output.height, output.width}, on_device.dtype(at::kBool));
  for (size_t k = 0; k < candidates.size(); ++k) {
    const at::Tensor logits = prediction.mask_logits[index]
                                  .narrow(0, candidates[k].query, 1)
                                  .to(at::kFloat);
    const at::Tensor mask =
        ResizeToOutput(logits, padded, image, output)[0].sigmoid();
    const at::Tensor weight = mask * candidates[k].score;
    const at::Tensor in_mask = mask.ge(0.5);
    const at::Tensor wins = weight.gt(best);
    candidates[k].mask_area = in_mask.sum().item<int64_t>();
    best = at::where(wins, weight, best);
    inside = at::where(wins, in_mask, inside);
    owner.masked_fill_(wins, static_cast<int>(k));
  }

  PanopticPrediction result;
  result.ids =
      at::zeros({output.height, output.width}, on_device.dtype(at::kInt));
  std::map<int64_t, int32_t> stuff_ids;  // By class.
  for (size_t k = 0; k < candidates.size(); ++k) {
    const Candidate& candidate = candidates[k];
    const at::Tensor owned = owner.eq(static_cast<int>(k));
    const at::Tensor region = owned.logical_and(inside);
    const auto area = owned.sum().item<int64_t>();
    if (area == 0 || candidate.mask_area == 0 || !region.any().item<bool>()) {
      continue;
    }
    if (static_cast<double>(area) / static_cast<double>(candidate.mask_area) <
        options.overlap_threshold) {
      continue;
    }
    const bool is_thing = options.is_thing[candidate.category];
    if (!is_thing) {
      const auto found = stuff_ids.find(candidate.category);
      if (found != stuff_ids.end()) {
        result.ids.masked_fill_(region, found->second);
        continue;
      }
    }
    const auto id = static_cast<int32_t>(result.segments.size()) + 1;
    if (!is_thing) stuff_ids[candidate.category] = id;
    result.ids.masked_fill_(region, id);
    result.segments.push_back(
        {id, is_thing, candidate.category, candidate.score});
  }
  result.ids = result.ids.cpu();
  return result;
}

}  // namespace mask2former
