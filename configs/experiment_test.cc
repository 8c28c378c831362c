#include "mask2former/configs/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/text_proto.h"
#include "mask2former/data/build_data_loader.h"
#include "mask2former/matcher/build_matcher.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/train/criterion/set_criterion.h"
#include "mask2former/train/optimizer/build_optimizer.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kOfficialR50[] =
    "configs/cityscapes/semantic-segmentation/"
    "maskformer2_R50_bs16_90k.textproto";
constexpr char kOfficialInstance[] =
    "configs/cityscapes/instance-segmentation/"
    "maskformer2_R50_bs16_90k.textproto";
constexpr char kOfficialPanoptic[] =
    "configs/cityscapes/panoptic-segmentation/"
    "maskformer2_R50_bs16_90k.textproto";
constexpr char kQuickstart[] = "configs/quickstart/semantic.textproto";
constexpr char kQuickstartInstance[] = "configs/quickstart/instance.textproto";
constexpr char kQuickstartPanoptic[] = "configs/quickstart/panoptic.textproto";

class EveryConfigTest : public testing::TestWithParam<const char*> {};

TEST_P(EveryConfigTest, IsReadAndEveryPieceTakesIt) {
  const auto experiment = ReadExperiment(GetParam(), {});
  ASSERT_THAT(experiment, IsOk());
  EXPECT_THAT(ValidateDataConfig(experiment->data()), IsOk());
  EXPECT_THAT(BuildMatcher(experiment->matcher()), IsOk());
  EXPECT_THAT(SetCriterion::Create(experiment->criterion()), IsOk());
  EXPECT_THAT(ValidateSolverConfig(experiment->solver()), IsOk());
  EXPECT_THAT(BuildSegmentor(experiment->model()), IsOk());
}

TEST_P(EveryConfigTest, PrintsAsTheSameExperiment) {
  const auto experiment = ReadExperiment(GetParam(), {});
  ASSERT_THAT(experiment, IsOk());
  Experiment again;
  ASSERT_THAT(ParseConfig(PrintConfig(*experiment), "printed", again), IsOk());
  EXPECT_EQ(again.SerializeAsString(), experiment->SerializeAsString());
}

// config.textproto beside a run's weights.
TEST_P(EveryConfigTest, IsReadBackFromWhatARunWrites) {
  const auto experiment = ReadExperiment(GetParam(), {});
  ASSERT_THAT(experiment, IsOk());
  const std::string path = testing::TempDir() + "/config.textproto";
  std::ofstream(path) << PrintConfig(WithDefaults(*experiment));
  const auto again = ReadExperiment(path, {});
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->data().source_case(), experiment->data().source_case());
  EXPECT_EQ(WithDefaults(*again).SerializeAsString(),
            WithDefaults(*experiment).SerializeAsString());
}

INSTANTIATE_TEST_SUITE_P(Configs, EveryConfigTest,
                         testing::Values(kOfficialR50, kOfficialInstance,
                                         kOfficialPanoptic, kQuickstart,
                                         kQuickstartInstance,
                                         kQuickstartPanoptic));

// The file spells out what the schema's defaults are: both must be official.
TEST(OfficialR50Test, SaysTheSameAsTheDefaults) {
  auto experiment = ReadExperiment(kOfficialR50, {});
  ASSERT_THAT(experiment, IsOk());
  Experiment defaults;
  ASSERT_THAT(
      ParseConfig(
          R"pb(
            model {
              backbone { resnet {} }
              pixel_decoder { ms_deform_attn {} }
              transformer_decoder { masked_attention {} }
              pixel_mean: [ 123.675, 116.28, 103.53 ]
              pixel_std: [ 58.395, 57.12, 57.375 ]
            }
            data {
              root: "datasets/cityscapes"
              input {
                min_size_train: [
                  512,
                  614,
                  716,
                  819,
                  921,
                  1024,
                  1126,
                  1228,
                  1331,
                  1433,
                  1536,
                  1638,
                  1740,
                  1843,
                  1945,
                  2048
                ]
              }
            }
            matcher { hungarian {} }
            eval { tta { min_size: [ 512, 768, 1024, 1280, 1536, 1792 ] } }
            output_dir: "output/maskformer2_R50_bs16_90k"
          )pb",
          "defaults", defaults),
      IsOk());
  EXPECT_EQ(PrintConfig(WithDefaults(*experiment)),
            PrintConfig(WithDefaults(defaults)));
}

TEST(OfficialR50Test, HasTheOfficialValues) {
  const auto experiment = ReadExperiment(kOfficialR50, {});
  ASSERT_THAT(experiment, IsOk());
  const SolverConfig& solver = experiment->solver();
  EXPECT_DOUBLE_EQ(solver.base_lr(), 1e-4);
  EXPECT_DOUBLE_EQ(solver.backbone_multiplier(), 0.1);
  EXPECT_DOUBLE_EQ(solver.weight_decay(), 0.05);
  EXPECT_DOUBLE_EQ(solver.clip_gradients().max_norm(), 0.01);
  EXPECT_DOUBLE_EQ(solver.schedule().power(), 0.9);
  EXPECT_EQ(solver.max_iter(), 90000);
  EXPECT_EQ(solver.global_batch_size(), 16);
  const CriterionConfig& criterion = experiment->criterion();
  EXPECT_DOUBLE_EQ(criterion.class_weight(), 2);
  EXPECT_DOUBLE_EQ(criterion.mask_weight(), 5);
  EXPECT_DOUBLE_EQ(criterion.dice_weight(), 5);
  EXPECT_DOUBLE_EQ(criterion.no_object_weight(), 0.1);
  EXPECT_EQ(criterion.num_points(), 112 * 112);
  EXPECT_EQ(experiment->model()
                .transformer_decoder()
                .masked_attention()
                .num_queries(),
            100);
  EXPECT_EQ(experiment->data().input().crop_height(), 512);
  EXPECT_EQ(experiment->data().input().crop_width(), 1024);
  EXPECT_EQ(experiment->trainer().eval_period(), 5000);
}

// All that the official files change from task to task.
TEST(OfficialR50Test, TheTasksDifferInClassesTargetsAndResults) {
  const auto semantic = ReadExperiment(kOfficialR50, {});
  const auto instance = ReadExperiment(kOfficialInstance, {});
  const auto panoptic = ReadExperiment(kOfficialPanoptic, {});
  for (const auto& one : {semantic, instance, panoptic}) {
    ASSERT_THAT(one, IsOk());
    EXPECT_EQ(one->model().inference().object_mask_threshold(), 0.8);
    EXPECT_EQ(one->model().inference().overlap_threshold(), 0.8);
    EXPECT_EQ(one->model().inference().top_k(), 100);
    EXPECT_FALSE(one->model().inference().resize_before_scores());
  }
  EXPECT_EQ(semantic->model().num_classes(), 19);
  EXPECT_EQ(instance->model().num_classes(), 8);
  EXPECT_EQ(panoptic->model().num_classes(), 19);
  EXPECT_EQ(semantic->data().task(), DataConfig::SEMANTIC);
  EXPECT_EQ(instance->data().task(), DataConfig::INSTANCE);
  EXPECT_EQ(instance->data().instance_source(), DataConfig::POLYGONS);
  EXPECT_EQ(panoptic->data().task(), DataConfig::PANOPTIC);
  const auto results = [](const Experiment& one) {
    const InferenceConfig& inference = one.model().inference();
    return std::vector<bool>{inference.semantic_on(), inference.instance_on(),
                             inference.panoptic_on()};
  };
  EXPECT_THAT(results(*semantic), ElementsAre(true, false, false));
  EXPECT_THAT(results(*instance), ElementsAre(false, true, false));
  EXPECT_THAT(results(*panoptic), ElementsAre(true, true, true));

  const auto rest = [](Experiment one) {
    one.mutable_model()->clear_inference();
    one.mutable_model()->clear_num_classes();
    one.mutable_data()->clear_class_set();
    one.mutable_data()->clear_task();
    one.mutable_data()->clear_instance_source();
    one.clear_output_dir();
    return PrintConfig(WithDefaults(one));
  };
  EXPECT_EQ(rest(*instance), rest(*semantic));
  EXPECT_EQ(rest(*panoptic), rest(*semantic));
}

struct Broken {
  const char* name;
  const char* override_text;
  const char* message;
};

class BrokenSettingTest : public testing::TestWithParam<Broken> {};

TEST_P(BrokenSettingTest, IsRefusedAndSaysWhy) {
  EXPECT_THAT(ReadExperiment(kQuickstart, {GetParam().override_text}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, BrokenSettingTest,
    testing::Values(
        Broken{"UnknownField", "solver.base_rl=1", "base_lr"},
        Broken{"UnknownMessage", "solvr.base_lr=1", "solver"},
        Broken{"UnknownEnum", "data.label_source=LABEL_ID", "LABEL_IDS"},
        Broken{"TextForNumber", "solver.base_lr=fast", "base_lr"},
        Broken{"FractionForInteger", "solver.max_iter=1.5", "max_iter"},
        Broken{"NoValue", "solver.base_lr", "solver.base_lr"},
        Broken{"NotPositive", "solver.max_iter=0", "solver.max_iter must"},
        Broken{"Batch", "solver.global_batch_size=0",
               "solver.global_batch_size must"},
        Broken{"PartLargerThanBatch", "solver.micro_batch_size=9",
               "solver.micro_batch_size must be in"},
        Broken{"WarmupLongerThanTraining",
               "solver.schedule.warmup_iters=1000000",
               "in [0, solver.max_iter]"},
        Broken{"Classes", "model.num_classes=7", "must be 19"},
        Broken{"ClassesOfTheTask", "data.class_set=CITYSCAPES_THINGS_8",
               "data.class_set must be CITYSCAPES_19 with data.task"},
        Broken{"SplitThatIsNotDrawn", "data.train_split=trian",
               "data.train_split and data.val_split must be two of"},
        Broken{"SplitTwice", "data.val_split=train",
               "data.train_split and data.val_split must be two of"},
        Broken{"NoResult", "model.inference.semantic_on=false",
               "gives no result"},
        Broken{"ResultsNotTrainedFor", "model.inference.panoptic_on=true",
               "must be false with data.task SEMANTIC"},
        Broken{"ClassesThatCoverNothing", "data.class_set=CITYSCAPES_THINGS_8",
               "its classes do not cover a picture"},
        Broken{"Threshold", "model.inference.overlap_threshold=2",
               "overlap_threshold must"},
        Broken{"AugmentedSizes", "eval.tta.min_size=0", "eval.tta.min_size"},
        Broken{"NoRoot", "data.root=", "data.root is not set"},
        Broken{"LogPeriod", "trainer.log_period=0", "trainer.log_period"},
        Broken{"Threads", "trainer.num_threads=-1", "trainer.num_threads"},
        Broken{"Prefetch", "eval.prefetch=0", "eval.prefetch must"},
        Broken{"TestSizes", "data.input.max_size_test=100",
               "data.input.min_size_test must"},
        Broken{"MatcherPoints", "matcher.hungarian.num_points=0", "num_points"},
        Broken{"Pictures", "eval.num_pictures=-1", "eval.num_pictures"}),
    [](const auto& info) { return info.param.name; });

TEST(ReadExperimentTest, OutputIsNamedAfterTheConfigUnlessSet) {
  EXPECT_EQ(ReadExperiment(kQuickstart, {"output_dir="})->output_dir(),
            "output/semantic");
  EXPECT_EQ(ReadExperiment(kQuickstart, {"output_dir=/tmp/x"})->output_dir(),
            "/tmp/x");
  EXPECT_EQ(ReadExperiment(kOfficialR50, {})->output_dir(),
            "output/maskformer2_R50_bs16_90k");
}

TEST(ReadExperimentTest, ListsEveryRuleThatIsBroken) {
  EXPECT_THAT(
      ReadExperiment(kQuickstart, {"solver.max_iter=0", "solver.eps=-1",
                                   "data.root=", "trainer.log_period=0",
                                   "criterion.num_points=0",
                                   "model.backbone.resnet.depth=51"}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("max_iter"), HasSubstr("solver.eps"),
                     HasSubstr("data.root"), HasSubstr("log_period"),
                     HasSubstr("num_points"), HasSubstr("model.backbone: "),
                     HasSubstr(kQuickstart))));
}

TEST(ReadExperimentTest, SyntaxErrorsHaveLineAndColumn) {
  const std::string path = testing::TempDir() + "/broken.textproto";
  std::ofstream(path) << "solver {\n  base_lr: 1e-4\n  max_itr: 5\n}\n";
  EXPECT_THAT(ReadExperiment(path, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("broken.textproto:3:"),
                             HasSubstr("max_itr"), HasSubstr("max_iter"))));
}

TEST(ReadExperimentTest, AMissingFileIsNamed) {
  const auto experiment = ReadExperiment("configs/nowhere.textproto", {});
  ASSERT_FALSE(experiment.ok());
  EXPECT_THAT(std::string(experiment.status().message()),
              HasSubstr("configs/nowhere.textproto"));
}

}  // namespace
}  // namespace mask2former
