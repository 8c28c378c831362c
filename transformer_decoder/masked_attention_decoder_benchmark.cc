// The paper's decoder on the maps of one Cityscapes training crop, 512 x 1024.
// Every row runs it in turns with the published composition on the same
// weights; both must give the same first.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mask2former/common/layers/sine_position_embedding.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/testing/benchmark_size.h"
#include "mask2former/common/testing/compare_benchmark.h"
#include "mask2former/transformer_decoder/masked_attention_decoder.h"

namespace mask2former {
namespace {

constexpr int64_t kChannels = 256;
constexpr int64_t kHeads = 8;
const int64_t kLayers = BenchmarkSize(9, 3);

// The decoder as the official code and Hugging Face's have it: always all ten
// predictions; masks of full size, shrunk after each layer and repeated for
// each head, a number per cell added to the scores; attention by matrix
// products that hands out its weights, averaged over the heads, which nobody
// reads; keys made anew by each layer.
class PublishedDecoder {
 public:
  explicit PublishedDecoder(const torch::nn::Module& decoder) {
    for (const auto& parameter : decoder.named_parameters()) {
      weights_[parameter.key()] = parameter.value();
    }
  }

  std::vector<MaskPrediction> Predict(const std::vector<at::Tensor>& levels,
                                      const at::Tensor& mask_features) const {
    const int64_t batch = mask_features.size(0);
    std::vector<at::Tensor> contents, positions;  // [H W, B, C]
    for (size_t l = 0; l < levels.size(); ++l) {
      positions.push_back(SinePositionEmbedding(levels[l].size(2),
                                                levels[l].size(3), kChannels,
                                                levels[l].options())
                              .flatten(2)
                              .permute({2, 0, 1}));
      contents.push_back(
          (levels[l].flatten(2) +
           Weight("level_embed.weight")[static_cast<int64_t>(l)].view(
               {1, kChannels, 1}))
              .permute({2, 0, 1}));
    }
    // [Q, B, C]
    const at::Tensor query_positions =
        Weight("query_embed.weight").unsqueeze(1).repeat({1, batch, 1});
    at::Tensor x =
        Weight("query_feat.weight").unsqueeze(1).repeat({1, batch, 1});

    std::vector<MaskPrediction> predictions = {Head(x, mask_features)};
    for (int64_t i = 0; i < kLayers; ++i) {
      const size_t l = i % levels.size();
      at::Tensor blocked = Blocked(predictions.back().mask_logits, levels[l]);
      const std::vector<at::Tensor> all =
          at::where(blocked.sum(-1).eq(blocked.size(-1)));
      blocked.index_put_({all[0], all[1]}, false);
      const std::string cross =
          absl::StrCat("transformer_cross_attention_layers.", i);
      x = Norm(absl::StrCat(cross, ".norm"),
               x + Attention(absl::StrCat(cross, ".multihead_attn"),
                             x + query_positions, contents[l] + positions[l],
                             contents[l], blocked));
      const std::string self =
          absl::StrCat("transformer_self_attention_layers.", i);
      const at::Tensor placed = x + query_positions;
      x = Norm(absl::StrCat(self, ".norm"),
               x + Attention(absl::StrCat(self, ".self_attn"), placed, placed,
                             x, {}));
      const std::string feedforward =
          absl::StrCat("transformer_ffn_layers.", i);
      x = Norm(
          absl::StrCat(feedforward, ".norm"),
          x + Linear(absl::StrCat(feedforward, ".linear2"),
                     Linear(absl::StrCat(feedforward, ".linear1"), x).relu()));
      predictions.push_back(Head(x, mask_features));
    }
    return predictions;
  }

 private:
  const at::Tensor& Weight(const std::string& name) const {
    return weights_.at(name);
  }

  at::Tensor Linear(const std::string& name, const at::Tensor& x) const {
    return at::linear(x, Weight(name + ".weight"), Weight(name + ".bias"));
  }

  at::Tensor Norm(const std::string& name, const at::Tensor& x) const {
    return at::layer_norm(x, {kChannels}, Weight(name + ".weight"),
                          Weight(name + ".bias"), 1e-5);
  }

  MaskPrediction Head(const at::Tensor& x,
                      const at::Tensor& mask_features) const {
    const at::Tensor normal = Norm("decoder_norm", x).transpose(0, 1);
    at::Tensor vectors = normal;
    for (int i = 0; i < 3; ++i) {
      vectors = Linear(absl::StrCat("mask_embed.layers.", i), vectors);
      if (i < 2) vectors = vectors.relu();
    }
    return {Linear("class_embed", normal),
            at::einsum("bqc,bchw->bqhw", {vectors, mask_features})};
  }

  // [B M, Q, H W]
  static at::Tensor Blocked(const at::Tensor& mask_logits,
                            const at::Tensor& level) {
    return at::upsample_bilinear2d(mask_logits, {level.size(2), level.size(3)},
                                   /*align_corners=*/false)
        .sigmoid()
        .flatten(2)
        .unsqueeze(1)
        .repeat({1, kHeads, 1, 1})
        .flatten(0, 1)
        .lt(0.5)
        .detach();
  }

  // [Q, B, C], twice [S, B, C] -> [Q, B, C]
  at::Tensor Attention(const std::string& name, const at::Tensor& queries,
                       const at::Tensor& keys, const at::Tensor& values,
                       const at::Tensor& blocked) const {
    const auto project = [&](const at::Tensor& x, int64_t part) {
      const auto rows = [&](const char* suffix) {
        return Weight(name + suffix).narrow(0, part * kChannels, kChannels);
      };
      return at::linear(x, rows(".in_proj_weight"), rows(".in_proj_bias"))
          .view({x.size(0), x.size(1) * kHeads, kChannels / kHeads})
          .transpose(0, 1);
    };
    const at::Tensor q =
        project(queries, 0) / std::sqrt(1.0 * kChannels / kHeads);
    const at::Tensor k = project(keys, 1).transpose(1, 2);
    const at::Tensor scores =
        blocked.defined()
            ? at::baddbmm(
                  at::zeros_like(blocked, q.options())
                      .masked_fill_(blocked,
                                    -std::numeric_limits<float>::infinity()),
                  q, k)
            : at::bmm(q, k);
    const at::Tensor attention = scores.softmax(-1);
    benchmark::DoNotOptimize(
        attention.unflatten(0, {queries.size(1), kHeads}).mean(1));
    return Linear(name + ".out_proj", at::bmm(attention, project(values, 2))
                                          .transpose(0, 1)
                                          .contiguous()
                                          .view(queries.sizes()));
  }

  std::map<std::string, at::Tensor> weights_;
};

struct Setup {
  Setup() : decoder(*MaskedAttentionDecoder::Create(Config(), 256, 256, 19)) {
    const int64_t height = BenchmarkSize(512, 64);
    const int64_t width = 2 * height;
    for (const int64_t stride : {32, 16, 8}) {
      levels.push_back(at::randn({1, 256, height / stride, width / stride}));
    }
    mask_features = at::randn({1, 256, height / 4, width / 4});
  }

  static MaskedAttentionDecoderConfig Config() {
    MaskedAttentionDecoderConfig config;
    config.set_num_layers(static_cast<int>(kLayers));
    config.set_feedforward_channels(static_cast<int>(BenchmarkSize(2048, 64)));
    return config;
  }

  std::vector<MaskPrediction> Ours() const {
    return decoder->forward(levels, mask_features);
  }
  std::vector<MaskPrediction> Theirs() const {
    return published.Predict(levels, mask_features);
  }

  std::shared_ptr<MaskedAttentionDecoder> decoder;
  const PublishedDecoder published{*decoder};
  std::vector<at::Tensor> levels;
  at::Tensor mask_features;
};

// Rounding may move a cell over the edge of a mask, so that single numbers
// differ more than the mean.
void CheckSame(const at::Tensor& ours, const at::Tensor& theirs) {
  CHECK(ours.sizes() == theirs.sizes());
  const double difference =
      ((ours - theirs).abs().mean() / theirs.abs().mean()).item<double>();
  CHECK(difference < 1e-3) << difference;
}

void CheckSame(const MaskPrediction& ours, const MaskPrediction& theirs) {
  CheckSame(ours.class_logits, theirs.class_logits);
  CheckSame(ours.mask_logits, theirs.mask_logits);
}

// The last prediction only, by pre-shrunk mask features.
void PredictFinal(benchmark::State& state) {
  const at::NoGradGuard no_grad;
  const Setup setup;
  setup.decoder->eval();
  const auto ours = [&] {
    return setup.decoder->PredictFinal(setup.levels, setup.mask_features);
  };
  CheckSame(ours(), setup.Theirs().back());
  CompareRuns(
      state, 1, [&] { benchmark::DoNotOptimize(ours()); },
      [&] { benchmark::DoNotOptimize(setup.Theirs()); });
}
BENCHMARK(PredictFinal)->UseManualTime()->Unit(benchmark::kMillisecond);

// All ten predictions.
void Forward(benchmark::State& state) {
  const at::NoGradGuard no_grad;
  const Setup setup;
  setup.decoder->eval();
  const auto ours = setup.Ours(), theirs = setup.Theirs();
  CHECK(ours.size() == theirs.size());
  for (size_t i = 0; i < ours.size(); ++i) CheckSame(ours[i], theirs[i]);
  CompareRuns(
      state, 1, [&] { benchmark::DoNotOptimize(setup.Ours()); },
      [&] { benchmark::DoNotOptimize(setup.Theirs()); });
}
BENCHMARK(Forward)->UseManualTime()->Unit(benchmark::kMillisecond);

// The decoder's share of a training step of one image.
void ForwardAndBackward(benchmark::State& state) {
  const Setup setup;
  setup.mask_features.requires_grad_();
  const auto backward = [](const std::vector<MaskPrediction>& predictions) {
    at::Tensor loss;
    for (const MaskPrediction& prediction : predictions) {
      const at::Tensor term =
          prediction.class_logits.mean() + prediction.mask_logits.mean();
      loss = loss.defined() ? loss + term : term;
    }
    loss.backward();
  };
  // Of the mask features, then of all parameters in a row.
  const auto gradients = [&](const std::vector<MaskPrediction>& predictions) {
    backward(predictions);
    const at::Tensor of_features = setup.mask_features.grad();
    setup.mask_features.mutable_grad() = at::Tensor();
    std::vector<at::Tensor> of_parameters;
    for (const at::Tensor& parameter : setup.decoder->parameters()) {
      of_parameters.push_back(parameter.grad().flatten());
      parameter.mutable_grad() = at::Tensor();
    }
    return std::make_pair(of_features, at::cat(of_parameters));
  };
  const auto ours = gradients(setup.Ours());
  const auto theirs = gradients(setup.Theirs());
  CheckSame(ours.first, theirs.first);
  CheckSame(ours.second, theirs.second);
  CompareRuns(
      state, 1, [&] { backward(setup.Ours()); },
      [&] { backward(setup.Theirs()); });
}
BENCHMARK(ForwardAndBackward)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
