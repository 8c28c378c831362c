#include "mask2former/train/criterion/compute_losses.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_points.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/matcher/hungarian_matcher.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kQueries = 6;
constexpr int64_t kClasses = 4;
constexpr int64_t kPredictions = 3;

at::Tensor Values(const std::string& name, at::IntArrayRef sizes) {
  return ReferenceUniform(name, c10::multiply_integers(sizes)).view(sizes);
}

std::unique_ptr<HungarianMatcher> MakeMatcher() {
  return *HungarianMatcher::Create(
      ParseTextProtoOrDie<HungarianMatcherConfig>("num_points: 100"));
}

SetCriterion MakeCriterion(const std::string& config = "") {
  return *SetCriterion::Create(
      ParseTextProtoOrDie<CriterionConfig>(config + " num_points: 100"));
}

struct Batch {
  std::vector<MaskPrediction> predictions;  // Leaves, with gradient.
  std::vector<MaskTarget> targets;
};

// run() of tools/goldens/criterion.py, with a target count per image.
Batch MakeBatch(const std::string& name, const std::vector<int64_t>& counts,
                at::ScalarType type) {
  const int64_t images = static_cast<int64_t>(counts.size());
  Batch batch;
  for (int64_t p = 0; p < kPredictions; ++p) {
    const std::string prefix = absl::StrCat(name, p);
    batch.predictions.push_back(
        {(4 * Values(prefix + "class", {images, kQueries, kClasses + 1}) - 2)
             .to(type)
             .requires_grad_(),
         (8 * Values(prefix + "mask", {images, kQueries, 8, 12}) - 4)
             .to(type)
             .requires_grad_()});
  }
  for (int64_t b = 0; b < images; ++b) {
    const at::Tensor masks =
        Values(absl::StrCat(name, "targets", b), {counts[b], 4, 6}) < 0.4;
    batch.targets.push_back(
        {(kClasses * Values(absl::StrCat(name, "labels", b), {counts[b]}))
             .to(at::kLong),
         masks.repeat_interleave(8, 1).repeat_interleave(8, 2)});
  }
  return batch;
}

LossNormalizer Normalizer(const std::vector<MaskTarget>& targets) {
  return NormalizeByBatch(TargetCounts(targets), kQueries,
                          CriterionConfig().no_object_weight());
}

struct Expected {
  std::vector<double> terms;                           // ce, mask, dice.
  std::vector<std::vector<int64_t>> queries, targets;  // Of every image.
  double class_gradient, mask_gradient;                // Norms.
};

void ExpectLosses(const Batch& batch, const std::vector<Expected>& layers,
                  double total, double tolerance) {
  ReferencePointSource points;
  const auto losses =
      ComputeLosses(batch.predictions, batch.targets, *MakeMatcher(),
                    MakeCriterion(), Normalizer(batch.targets), points);
  ASSERT_THAT(losses.status(), IsOk());
  // A draw per image by the matcher and two by the criterion, 3 times.
  EXPECT_EQ(points.num_draws(), 12);
  EXPECT_NEAR(losses->total.item<double>(), total, 20 * tolerance);
  losses->total.backward();
  ASSERT_EQ(losses->layers.size(), layers.size());
  for (size_t i = 0; i < layers.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("layer ", i));
    const LayerLosses& actual = losses->layers[i];
    EXPECT_NEAR(actual.ce.item<double>(), layers[i].terms[0], tolerance);
    EXPECT_NEAR(actual.mask.item<double>(), layers[i].terms[1], tolerance);
    EXPECT_NEAR(actual.dice.item<double>(), layers[i].terms[2], tolerance);
    for (size_t b = 0; b < batch.targets.size(); ++b) {
      const Assignment& pairs = losses->assignments[i][b];
      EXPECT_EQ(pairs.queries, layers[i].queries[b]);
      EXPECT_EQ(pairs.targets, layers[i].targets[b]);
    }
    const MaskPrediction& prediction =
        batch.predictions[i == 0 ? layers.size() - 1 : i - 1];
    EXPECT_NEAR(prediction.class_logits.grad().norm().item<double>(),
                layers[i].class_gradient, tolerance);
    EXPECT_NEAR(prediction.mask_logits.grad().norm().item<double>(),
                layers[i].mask_gradient, tolerance);
  }
}

// Numbers by tools/goldens/criterion.py, in double.
TEST(ComputeLossesTest, EqualsHuggingFaceOnAUsualBatch) {
  const std::vector<Expected> layers = {
      {{0.921000416, 0.747987578, 0.567755925},
       {{0, 3, 5}, {0, 1}},
       {{0, 1, 2}, {0, 1}},
       0.517678022,
       0.179710471},
      {{1.521531550, 0.757507615, 0.538092250},
       {{2, 4, 5}, {1, 2}},
       {{0, 2, 1}, {1, 0}},
       0.689814325,
       0.169957392},
      {{1.512684584, 0.702693931, 0.539589214},
       {{1, 2, 3}, {0, 3}},
       {{1, 2, 0}, {1, 0}},
       0.669488310,
       0.170674345}};
  ExpectLosses(MakeBatch("usual", {3, 2}, at::kDouble), layers, 27.178565662,
               /*tolerance=*/1e-8);
  ExpectLosses(MakeBatch("usual", {3, 2}, at::kFloat), layers, 27.178565662,
               /*tolerance=*/2e-6);
}

TEST(ComputeLossesTest, EqualsHuggingFaceWithoutAndWithTooManyTargets) {
  const std::vector<Expected> layers = {
      {{2.050482384, 0.557793133, 0.391359774},
       {{}, {0, 1, 2, 3, 4, 5}},
       {{}, {1, 2, 7, 6, 4, 0}},
       0.737707431,
       0.113368240},
      {{1.643106421, 0.568191957, 0.388934329},
       {{}, {0, 1, 2, 3, 4, 5}},
       {{}, {3, 7, 1, 6, 0, 4}},
       0.641884522,
       0.118014285},
      {{1.247964215, 0.552081376, 0.408049157},
       {{}, {0, 1, 2, 3, 4, 5}},
       {{}, {3, 7, 0, 4, 2, 1}},
       0.584988155,
       0.122768861}};
  ExpectLosses(MakeBatch("odd", {0, 8}, at::kDouble), layers, 24.215154668,
               /*tolerance=*/1e-8);
  ExpectLosses(MakeBatch("odd", {0, 8}, at::kFloat), layers, 24.215154668,
               /*tolerance=*/2e-6);
}

// The same points for every image, in whichever batch it comes.
class PointsBySize final : public PointSource {
 public:
  at::Tensor Draw(int64_t n, int64_t t) override {
    return ReferenceUniform(absl::StrCat("points", t), t * 2)
        .to(at::kFloat)
        .view({1, t, 2})
        .expand({n, t, 2});
  }
};

TEST(ComputeLossesTest, ABatchInPartsHasTheGradientsOfTheWhole) {
  const Batch whole = MakeBatch("whole", {2, 0, 8, 1}, at::kDouble);
  const LossNormalizer normalizer = Normalizer(whole.targets);
  const std::unique_ptr<HungarianMatcher> matcher = MakeMatcher();
  const SetCriterion criterion = MakeCriterion();
  PointsBySize points;

  // [size of a part][prediction]: the gradients, and the sum of the totals.
  const auto run = [&](int64_t size) {
    double total = 0;
    for (const MaskPrediction& prediction : whole.predictions) {
      prediction.class_logits.mutable_grad() = at::Tensor();
      prediction.mask_logits.mutable_grad() = at::Tensor();
    }
    for (int64_t first = 0; first < 4; first += size) {
      std::vector<MaskPrediction> predictions;
      for (const MaskPrediction& prediction : whole.predictions) {
        predictions.push_back({prediction.class_logits.narrow(0, first, size),
                               prediction.mask_logits.narrow(0, first, size)});
      }
      const std::vector<MaskTarget> targets(
          whole.targets.begin() + first, whole.targets.begin() + first + size);
      const auto losses = ComputeLosses(predictions, targets, *matcher,
                                        criterion, normalizer, points);
      EXPECT_THAT(losses.status(), IsOk());
      losses->total.backward();
      total += losses->total.item<double>();
    }
    std::vector<at::Tensor> results = {at::scalar_tensor(total, at::kDouble)};
    for (const MaskPrediction& prediction : whole.predictions) {
      results.push_back(prediction.class_logits.grad().clone());
      results.push_back(prediction.mask_logits.grad().clone());
    }
    return results;
  };

  const std::vector<at::Tensor> at_once = run(4);
  EXPECT_GT(at_once[1].norm().item<double>(), 0.1);
  EXPECT_GT(at_once[2].norm().item<double>(), 0.1);
  for (const int64_t size : {2, 1}) {
    const std::vector<at::Tensor> in_parts = run(size);
    for (size_t i = 0; i < at_once.size(); ++i) {
      EXPECT_THAT(in_parts[i],
                  TensorNear(at_once[i], /*atol=*/1e-12, /*rtol=*/1e-12));
    }
  }
}

TEST(ComputeLossesTest, WithoutAnyTargetMasksCostNothing) {
  const Batch batch = MakeBatch("empty", {0, 0}, at::kFloat);
  ReferencePointSource points;
  const auto losses =
      ComputeLosses(batch.predictions, batch.targets, *MakeMatcher(),
                    MakeCriterion(), Normalizer(batch.targets), points);
  ASSERT_THAT(losses.status(), IsOk());
  losses->total.backward();
  for (const LayerLosses& layer : losses->layers) {
    EXPECT_EQ(layer.mask.item<float>(), 0);
    EXPECT_EQ(layer.dice.item<float>(), 0);
    EXPECT_GT(layer.ce.item<float>(), 0);
  }
  for (const MaskPrediction& prediction : batch.predictions) {
    EXPECT_GT(prediction.class_logits.grad().norm().item<float>(), 0);
    ASSERT_TRUE(prediction.mask_logits.grad().defined());
    EXPECT_EQ(prediction.mask_logits.grad().norm().item<float>(), 0);
  }
  EXPECT_THAT(losses->assignments[0][1].queries, IsEmpty());
}

TEST(ComputeLossesTest, WithoutDeepSupervisionOnlyTheLastCounts) {
  const Batch batch = MakeBatch("usual", {3, 2}, at::kFloat);
  ReferencePointSource points;
  const auto losses =
      ComputeLosses(batch.predictions, batch.targets, *MakeMatcher(),
                    MakeCriterion("deep_supervision: false"),
                    Normalizer(batch.targets), points);
  ASSERT_THAT(losses.status(), IsOk());
  ASSERT_EQ(losses->layers.size(), 1u);
  ASSERT_EQ(losses->assignments.size(), 1u);
  EXPECT_NEAR(losses->layers[0].ce.item<double>(), 0.921000416, 2e-6);
  losses->total.backward();
  EXPECT_FALSE(batch.predictions[0].mask_logits.grad().defined());
  EXPECT_TRUE(batch.predictions[2].mask_logits.grad().defined());
}

TEST(ComputeLossesTest, SaysWhichPredictionTheMatcherRefuses) {
  Batch batch = MakeBatch("usual", {3, 2}, at::kFloat);
  batch.predictions[1].mask_logits =
      at::full({2, kQueries, 8, 12}, std::numeric_limits<float>::quiet_NaN());
  ReferencePointSource points;
  EXPECT_THAT(
      ComputeLosses(batch.predictions, batch.targets, *MakeMatcher(),
                    MakeCriterion(), Normalizer(batch.targets), points)
          .status(),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("prediction 1: hungarian matcher: image 0: the mask "
                         "cost of query 0")));
}

}  // namespace
}  // namespace mask2former
