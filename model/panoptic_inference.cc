#include "mask2former/model/panoptic_inference.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/full.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "mask2former/model/row_resizer.h"

namespace mask2former {
namespace {

constexpr int64_t kBandBytes = 1 << 20;
constexpr int64_t kRowsRenamed = 64;  // At a time.

struct Candidate {
  int64_t query = 0;
  int64_t category = 0;
  float score = 0;
  int64_t mask_area = 0;    // Where the mask is at least 0.5.
  int64_t owned_area = 0;   // Where it beats all others.
  int64_t region_area = 0;  // Where both.
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

// Fills in the areas, and `places` [H, W] int with 1 + the candidate whose
// region a pixel belongs to, or 0; some rows at a time.
void FindOwners(const at::Tensor& maps, const RowResizer& resizer,
                std::vector<Candidate>& candidates, const at::Tensor& places) {
  const int64_t at_once = resizer.RowsWithin(kBandBytes, 1);
  const auto on_device = places.options();
  const auto count_places = [&](const at::Tensor& of) {
    return at::bincount(of.flatten(), /*weights=*/{},
                        static_cast<int64_t>(candidates.size()) + 1);
  };
  // [1 + candidates], the first for nobody.
  const at::Tensor mask_areas =
      at::zeros({static_cast<int64_t>(candidates.size()) + 1},
                on_device.dtype(at::kLong));
  const at::Tensor owned_areas = at::zeros_like(mask_areas);
  const at::Tensor region_areas = at::zeros_like(mask_areas);
  for (int64_t y = 0; y < places.size(0); y += at_once) {
    const int64_t count = std::min(at_once, places.size(0) - y);
    // Per pixel: the best candidate yet, its weight, whether its mask is there.
    at::Tensor owner = at::zeros({count, places.size(1)}, on_device);
    at::Tensor best =
        at::full({count, places.size(1)}, -1, on_device.dtype(at::kFloat));
    at::Tensor inside =
        at::zeros({count, places.size(1)}, on_device.dtype(at::kBool));
    for (size_t k = 0; k < candidates.size(); ++k) {
      const at::Tensor mask =
          resizer
              .Rows(maps.narrow(0, candidates[k].query, 1).to(at::kFloat), y,
                    count)[0]
              .sigmoid();
      const at::Tensor weight = mask * candidates[k].score;
      const at::Tensor in_mask = mask.ge(0.5);
      const at::Tensor wins = weight.gt(best);
      mask_areas[static_cast<int64_t>(k) + 1] += in_mask.sum();
      best = at::where(wins, weight, best);
      inside = at::where(wins, in_mask, inside);
      owner.masked_fill_(wins, static_cast<int>(k) + 1);
    }
    const at::Tensor region = owner * inside;
    owned_areas.add_(count_places(owner));
    region_areas.add_(count_places(region));
    places.narrow(0, y, count).copy_(region);
  }
  const at::Tensor areas =
      at::stack({mask_areas, owned_areas, region_areas}, 1).cpu();
  for (size_t k = 0; k < candidates.size(); ++k) {
    const at::Tensor of_candidate = areas[static_cast<int64_t>(k) + 1];
    candidates[k].mask_area = of_candidate[0].item<int64_t>();
    candidates[k].owned_area = of_candidate[1].item<int64_t>();
    candidates[k].region_area = of_candidate[2].item<int64_t>();
  }
}

// Makes segments of the candidates that have enough left of their masks, and
// replaces the places in result.ids by their ids.
void NameSegments(const std::vector<Candidate>& candidates,
                  const PanopticOptions& options, PanopticPrediction& result) {
  std::vector<int32_t> id_of_place = {0};
  std::map<int64_t, int32_t> stuff_ids;  // By class.
  for (const Candidate& candidate : candidates) {
    id_of_place.push_back(0);
    // Without a region there is neither area nor mask.
    if (candidate.region_area == 0 ||
        static_cast<double>(candidate.owned_area) /
                static_cast<double>(candidate.mask_area) <
            options.overlap_threshold) {
      continue;
    }
    const bool is_thing = options.is_thing[candidate.category];
    const auto next = static_cast<int32_t>(result.segments.size()) + 1;
    if (is_thing) {
      id_of_place.back() = next;
    } else {
      id_of_place.back() =
          stuff_ids.emplace(candidate.category, next).first->second;
    }
    if (id_of_place.back() != next) continue;  // More of a segment's stuff.
    result.segments.push_back(
        {next, is_thing, candidate.category, candidate.score});
  }
  const at::Tensor ids =
      at::tensor(id_of_place, at::kInt).to(result.ids.device());
  for (const at::Tensor& rows : result.ids.split(kRowsRenamed)) {
    rows.copy_(ids.index_select(0, rows.flatten()).view_as(rows));
  }
}

}  // namespace

PanopticPrediction PanopticInference(const MaskPrediction& prediction,
                                     int64_t index, const ImageSize& padded,
                                     const ImageSize& image,
                                     const ImageSize& output,
                                     const PanopticOptions& options) {
  const at::NoGradGuard no_grad;
  const at::Tensor class_logits = prediction.class_logits[index];
  TORCH_CHECK(class_logits.size(-1) - 1 ==
                  static_cast<int64_t>(options.is_thing.size()),
              "options.is_thing has ", options.is_thing.size(),
              " entries, but the model has ", class_logits.size(-1) - 1,
              " classes");
  std::vector<Candidate> candidates =
      FindCandidates(class_logits, options.object_mask_threshold);
  const at::Tensor maps = prediction.mask_logits[index];  // [Q, h, w]
  PanopticPrediction result;
  result.ids =
      at::zeros({output.height, output.width}, maps.options().dtype(at::kInt));
  if (!candidates.empty()) {
    const RowResizer resizer({maps.size(1), maps.size(2)}, padded, image,
                             output, maps.device());
    FindOwners(maps, resizer, candidates, result.ids);
    NameSegments(candidates, options, result);
  }
  result.ids = result.ids.cpu();
  return result;
}

}  // namespace mask2former
