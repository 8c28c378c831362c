// The files under configs/cityscapes/ against the effective values of the
// official configurations: what those resolve to after their base files and
// defaults.

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/text_proto.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/configs/testing/official_configs.h"

namespace mask2former {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using Values = std::map<std::string, std::string>;

std::string ValueText(const Message& message, const FieldDescriptor* field,
                      int index) {
  const auto* reflection = message.GetReflection();
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
#define M2F_CASE(TYPE, Kind, Print)                                     \
  case FieldDescriptor::CPPTYPE_##TYPE: {                               \
    const auto value =                                                  \
        repeated ? reflection->GetRepeated##Kind(message, field, index) \
                 : reflection->Get##Kind(message, field);               \
    return Print;                                                       \
  }
    M2F_CASE(INT32, Int32, absl::StrCat(value))
    M2F_CASE(INT64, Int64, absl::StrCat(value))
    M2F_CASE(UINT32, UInt32, absl::StrCat(value))
    M2F_CASE(UINT64, UInt64, absl::StrCat(value))
    M2F_CASE(FLOAT, Float, absl::StrCat(value))
    M2F_CASE(DOUBLE, Double, absl::StrCat(value))
    M2F_CASE(BOOL, Bool, value ? "true" : "false")
    M2F_CASE(ENUM, Enum, value->name())
    M2F_CASE(STRING, String, value)
#undef M2F_CASE
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return "?";
}

// path.to.field -> value, of every field that is set; lists as "a b c".
void Flatten(const Message& message, const std::string& prefix,
             Values& values) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string path = absl::StrCat(prefix, field->name());
    if (field->is_repeated()) {
      std::vector<std::string> elements;
      const int count = message.GetReflection()->FieldSize(message, field);
      for (int i = 0; i < count; ++i) {
        elements.push_back(ValueText(message, field, i));
      }
      values[path] = absl::StrJoin(elements, " ");
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Flatten(message.GetReflection()->GetMessage(message, field), path + ".",
              values);
    } else {
      values[path] = ValueText(message, field, -1);
    }
  }
}

Values EffectiveValues(const Experiment& experiment) {
  Values values;
  Flatten(WithDefaults(experiment), "", values);
  return values;
}

// What all eighteen have in common.
const Values& CommonValues() {
  static const auto& values = *new Values{
      {"model.pixel_mean", "123.675 116.28 103.53"},
      {"model.pixel_std", "58.395 57.12 57.375"},
      {"model.size_divisibility", "32"},
      {"model.pixel_decoder.ms_deform_attn.channels", "256"},
      {"model.pixel_decoder.ms_deform_attn.mask_channels", "256"},
      {"model.pixel_decoder.ms_deform_attn.num_layers", "6"},
      {"model.pixel_decoder.ms_deform_attn.num_heads", "8"},
      {"model.pixel_decoder.ms_deform_attn.num_points", "4"},
      {"model.pixel_decoder.ms_deform_attn.feedforward_channels", "1024"},
      {"model.pixel_decoder.ms_deform_attn.dropout", "0"},
      {"model.transformer_decoder.masked_attention.channels", "256"},
      {"model.transformer_decoder.masked_attention.num_heads", "8"},
      {"model.transformer_decoder.masked_attention.feedforward_channels",
       "2048"},
      {"model.transformer_decoder.masked_attention.num_layers", "9"},
      {"model.transformer_decoder.masked_attention.dropout", "0"},
      {"model.transformer_decoder.masked_attention.pre_norm", "false"},
      {"data.input.min_size_train",
       "512 614 716 819 921 1024 1126 1228 1331 1433 1536 1638 1740 1843 1945 "
       "2048"},
      {"data.input.max_size_train", "4096"},
      {"data.input.crop_height", "512"},
      {"data.input.crop_width", "1024"},
      {"data.input.single_category_max_area", "1"},
      {"data.input.color_augmentation", "SSD"},
      {"data.input.flip_probability", "0.5"},
      {"data.input.size_divisibility", "-1"},
      {"data.input.min_size_test", "1024"},
      {"data.input.max_size_test", "2048"},
      {"data.input.resize", "PIL_BILINEAR"},
      {"data.instance_source", "POLYGONS"},
      {"data.train_split", "train"},
      {"data.val_split", "val"},
      {"data.loader.num_workers", "4"},
      {"matcher.hungarian.class_weight", "2"},
      {"matcher.hungarian.mask_weight", "5"},
      {"matcher.hungarian.dice_weight", "5"},
      {"matcher.hungarian.num_points", "12544"},
      {"criterion.no_object_weight", "0.1"},
      {"criterion.class_weight", "2"},
      {"criterion.mask_weight", "5"},
      {"criterion.dice_weight", "5"},
      {"criterion.num_points", "12544"},
      {"criterion.oversample_ratio", "3"},
      {"criterion.importance_sample_ratio", "0.75"},
      {"criterion.deep_supervision", "true"},
      {"solver.optimizer", "ADAMW"},
      {"solver.base_lr", "0.0001"},
      {"solver.backbone_multiplier", "0.1"},
      {"solver.weight_decay", "0.05"},
      {"solver.weight_decay_norm", "0"},
      {"solver.weight_decay_embed", "0"},
      {"solver.beta1", "0.9"},
      {"solver.beta2", "0.999"},
      {"solver.eps", "1e-08"},
      {"solver.clip_gradients.enabled", "true"},
      {"solver.clip_gradients.max_norm", "0.01"},
      {"solver.schedule.power", "0.9"},
      {"solver.schedule.constant_ending", "0"},
      {"solver.schedule.warmup_iters", "0"},
      {"solver.schedule.warmup_factor", "1"},
      {"solver.schedule.warmup_method", "LINEAR"},
      {"solver.max_iter", "90000"},
      {"solver.global_batch_size", "16"},
      {"solver.precision", "AUTOMATIC"},
      {"eval.tta.enabled", "false"},
      {"eval.tta.min_size", "512 768 1024 1280 1536 1792"},
      {"eval.tta.max_size", "4096"},
      {"eval.tta.flip", "true"},
      {"model.inference.resize_before_scores", "false"},
      {"model.inference.object_mask_threshold", "0.8"},
      {"model.inference.overlap_threshold", "0.8"},
      {"model.inference.top_k", "100"},
      {"trainer.eval_period", "5000"},
      {"trainer.checkpoint_period", "5000"},
      {"trainer.log_period", "20"},
  };
  return values;
}

Values ExpectedValues(const OfficialConfig& config) {
  Values values = CommonValues();
  values["model.num_classes"] = absl::StrCat(config.num_classes);
  values["model.transformer_decoder.masked_attention.num_queries"] =
      absl::StrCat(config.num_queries);
  const bool semantic = config.task == "semantic";
  const bool instance = config.task == "instance";
  values["data.task"] = semantic   ? "SEMANTIC"
                        : instance ? "INSTANCE"
                                   : "PANOPTIC";
  values["data.class_set"] = instance ? "CITYSCAPES_THINGS_8" : "CITYSCAPES_19";
  values["model.inference.semantic_on"] = instance ? "false" : "true";
  values["model.inference.instance_on"] = semantic ? "false" : "true";
  values["model.inference.panoptic_on"] =
      config.task == "panoptic" ? "true" : "false";
  if (config.resnet_depth > 0) {
    values["model.backbone.resnet.depth"] = absl::StrCat(config.resnet_depth);
    values["model.backbone.resnet.norm"] = "SYNC_BN";
    values["model.backbone.resnet.freeze_at"] = "0";
    values["model.backbone.resnet.width"] = "64";
  } else {
    values["model.backbone.swin.embed_channels"] =
        absl::StrCat(config.embed_channels);
    values["model.backbone.swin.depths"] = config.depths;
    values["model.backbone.swin.num_heads"] = config.num_heads;
    values["model.backbone.swin.window_size"] = absl::StrCat(config.window);
    values["model.backbone.swin.mlp_ratio"] = "4";
    values["model.backbone.swin.drop_path_rate"] = "0.3";
    values["model.backbone.swin.checkpoint_activations"] = "false";
  }
  return values;
}

class OfficialValuesTest : public testing::TestWithParam<OfficialConfig> {};

TEST_P(OfficialValuesTest, AreTheEffectiveOnes) {
  const auto experiment = ReadExperiment(GetParam().path, {});
  ASSERT_THAT(experiment, IsOk());
  const Values actual = EffectiveValues(*experiment);
  for (const auto& [field, value] : ExpectedValues(GetParam())) {
    const auto found = actual.find(field);
    ASSERT_NE(found, actual.end()) << field;
    EXPECT_EQ(found->second, value) << field;
  }
}

// What has no official counterpart stays as the schema has it.
TEST_P(OfficialValuesTest, NothingElseIsSet) {
  const auto experiment = ReadExperiment(GetParam().path, {});
  ASSERT_THAT(experiment, IsOk());
  const Values defaults = EffectiveValues(Experiment());
  const Values expected = ExpectedValues(GetParam());
  for (const auto& [field, value] : EffectiveValues(*experiment)) {
    if (expected.count(field) > 0) continue;
    if (field == "data.root" || field == "output_dir") continue;
    const auto found = defaults.find(field);
    ASSERT_NE(found, defaults.end()) << field << " is " << value;
    EXPECT_EQ(value, found->second) << field;
  }
}

TEST_P(OfficialValuesTest, OutputIsNamedAfterTheFile) {
  const auto experiment = ReadExperiment(GetParam().path, {});
  ASSERT_THAT(experiment, IsOk());
  const std::string path = GetParam().path;
  const size_t begin = path.rfind('/') + 1;
  const std::string folder =
      GetParam().task == "semantic" ? "" : GetParam().task + "-segmentation/";
  EXPECT_EQ(experiment->output_dir(),
            "output/" + folder + path.substr(begin, path.rfind('.') - begin));
}

INSTANTIATE_TEST_SUITE_P(Cityscapes, OfficialValuesTest,
                         testing::ValuesIn(OfficialConfigs()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mask2former
