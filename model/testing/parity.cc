#include "mask2former/model/testing/parity.h"

#include <cstdlib>
#include <map>

#include "absl/strings/str_cat.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/model/build_segmentor.h"

namespace mask2former {

const std::vector<ParityCase>& ParityCases() {
  static const auto& cases = *new std::vector<ParityCase>{
      {"r50", "resnet {}", "s29:"}, {"swin_t", "swin {}", "s2:"}};
  return cases;
}

const std::shared_ptr<Segmentor>& ParityModel(const ParityCase& parity) {
  static auto& models = *new std::map<std::string, std::shared_ptr<Segmentor>>;
  std::shared_ptr<Segmentor>& model = models[parity.name];
  if (model == nullptr) {
    auto built = BuildSegmentor(ParseTextProtoOrDie<ModelConfig>(
        absl::StrCat("backbone { ", parity.backbone,
                     " } pixel_decoder { ms_deform_attn {} } "
                     "transformer_decoder { masked_attention {} }")));
    model = *std::move(built);  // Throws if it is none.
    FillWithReferenceValues(*model, parity.salt);
    model->eval();
  }
  return model;
}

PreparedImages ParityImages(const Segmentor& segmentor) {
  return segmentor.Prepare(
      {ReferenceImage("image0", 90, 150), ReferenceImage("image1", 90, 150)});
}

const SafetensorsFile& ParityGolden(const ParityCase& parity) {
  static auto& files = *new std::map<std::string, SafetensorsFile>;
  const auto found = files.find(parity.name);
  if (found != files.end()) return found->second;
  auto file = ReadSafetensors(
      absl::StrCat("model/testdata/parity_", parity.name, ".safetensors"));
  return files.emplace(parity.name, *std::move(file)).first->second;
}

testing::AssertionResult SamplesAreNear(const ParityCase& parity,
                                        const std::string& name,
                                        const at::Tensor& actual,
                                        double tolerance) {
  const SafetensorsFile& golden = ParityGolden(parity);
  const int64_t step = std::atoll(golden.metadata.at("step." + name).c_str());
  const std::string difference = testing_internal::ExplainDifference(
      actual.detach().flatten().slice(0, 0, actual.numel(), step),
      golden.tensors.at(name), tolerance, /*rtol=*/0);
  return difference.empty()
             ? testing::AssertionSuccess()
             : testing::AssertionFailure() << name << ": " << difference;
}

}  // namespace mask2former
