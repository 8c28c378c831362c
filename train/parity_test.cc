// Matcher and criterion on a whole R50 and Swin-T against transformers in
// float64: tools/goldens/parity.py.

#include "mask2former/model/testing/parity.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_points.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/matcher/build_matcher.h"
#include "mask2former/train/criterion/compute_losses.h"
#include "mask2former/train/criterion/loss_normalizer.h"

namespace mask2former {
namespace {

struct Rectangle {
  int64_t label;
  int64_t y0, y1, x0, x1;  // Half open.
};

MaskTarget MakeTarget(const std::vector<Rectangle>& rectangles) {
  const auto count = static_cast<int64_t>(rectangles.size());
  MaskTarget target = {at::zeros({count}, at::kLong),
                       at::zeros({count, 96, 160}, at::kBool)};
  for (int64_t i = 0; i < count; ++i) {
    const Rectangle& r = rectangles[i];
    target.labels[i].fill_(r.label);
    target.masks[i].slice(0, r.y0, r.y1).slice(1, r.x0, r.x1).fill_(true);
  }
  return target;
}

class TrainingParityTest : public testing::TestWithParam<ParityCase> {
 protected:
  // Losses and, in the model, gradients: once for each of the two.
  static const BatchLosses& Losses() {
    static auto& all = *new std::map<std::string, BatchLosses>;
    const auto found = all.find(GetParam().name);
    if (found != all.end()) return found->second;
    Segmentor& model = *ParityModel(GetParam());
    const std::vector<MaskTarget> targets = {
        MakeTarget({{0, 45, 90, 0, 150},
                    {8, 20, 45, 0, 75},
                    {10, 0, 20, 0, 150},
                    {13, 50, 80, 60, 100}}),
        MakeTarget({{2, 0, 60, 10, 140},
                    {5, 10, 90, 100, 104},
                    {11, 60, 90, 20, 50}})};
    const auto matcher =
        BuildMatcher(ParseTextProtoOrDie<MatcherConfig>("hungarian {}"));
    const auto criterion = SetCriterion::Create(CriterionConfig());
    EXPECT_THAT(matcher, IsOk());
    EXPECT_THAT(criterion, IsOk());
    ReferencePointSource points;
    auto losses = ComputeLosses(
        model.forward(ParityImages(model).images), targets, **matcher,
        *criterion, NormalizeByBatch(TargetCounts(targets), 100, 0.1), points);
    EXPECT_THAT(losses, IsOk());
    EXPECT_EQ(points.num_draws(), 40);
    losses->total.backward();
    return all.emplace(GetParam().name, *std::move(losses)).first->second;
  }

  static const SafetensorsFile& Golden() { return ParityGolden(GetParam()); }
};

TEST_P(TrainingParityTest, Matcher) {
  const BatchLosses& losses = Losses();
  ASSERT_EQ(losses.assignments.size(), 10);
  for (int layer = 0; layer < 10; ++layer) {
    std::vector<int64_t> pairs;
    for (size_t image = 0; image < 2; ++image) {
      const Assignment& assignment = losses.assignments[layer][image];
      for (size_t i = 0; i < assignment.queries.size(); ++i) {
        pairs.insert(pairs.end(),
                     {static_cast<int64_t>(image), assignment.queries[i],
                      assignment.targets[i]});
      }
    }
    const at::Tensor& expected =
        Golden().tensors.at(absl::StrCat("matcher.", layer));
    ASSERT_EQ(expected.size(0), 7);
    EXPECT_TRUE(at::tensor(pairs, at::kInt).view({-1, 3}).equal(expected))
        << layer;
  }
}

TEST_P(TrainingParityTest, Criterion) {
  const BatchLosses& losses = Losses();
  const at::Tensor& expected = Golden().tensors.at("criterion.losses");
  ASSERT_EQ(losses.layers.size(), 10);
  for (int i = 0; i < 10; ++i) {
    const LayerLosses& layer = losses.layers[i];
    const at::Tensor* const terms[] = {&layer.ce, &layer.mask, &layer.dice};
    for (int k = 0; k < 3; ++k) {
      EXPECT_NEAR(terms[k]->item<double>(), expected[i][k].item<double>(), 2e-5)
          << i << ", " << k;
    }
  }
}

TEST_P(TrainingParityTest, GradientNorms) {
  Losses();
  const auto names = nlohmann::json::parse(Golden().metadata.at("parameters"))
                         .get<std::vector<std::string>>();
  const at::Tensor& norms = Golden().tensors.at("criterion.gradient_norms");
  const auto parameters = ParityModel(GetParam())->named_parameters();
  ASSERT_EQ(names.size(), parameters.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const at::Tensor* const parameter = parameters.find(names[i]);
    ASSERT_NE(parameter, nullptr) << names[i];
    const double expected = norms[static_cast<int64_t>(i)].item<double>();
    // Some are 0 but for rounding: a bias before a norm.
    EXPECT_NEAR(parameter->grad().norm().item<double>(), expected,
                1e-3 * expected + 5e-4)
        << names[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Models, TrainingParityTest,
                         testing::ValuesIn(ParityCases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mask2former
