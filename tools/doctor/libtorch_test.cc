#include "mask2former/tools/doctor/libtorch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "mask2former/tools/doctor/compiled.h"

namespace mask2former {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;

TEST(BuildSettingTest, ReadsOneValue) {
  constexpr char kConfig[] =
      "PyTorch built with:\n  - Build settings: BLAS_INFO=mkl, "
      "CUDA_VERSION=13.0, CXX_FLAGS= -O2 -fPIC, TORCH_VERSION=2.11.0, \n";
  EXPECT_EQ(BuildSetting(kConfig, "TORCH_VERSION"), "2.11.0");
  EXPECT_EQ(BuildSetting(kConfig, "CUDA_VERSION"), "13.0");
  EXPECT_EQ(BuildSetting(kConfig, "CXX_FLAGS"), " -O2 -fPIC");
  EXPECT_EQ(BuildSetting(kConfig, "VERSION"), "");
  EXPECT_EQ(BuildSetting("", "TORCH_VERSION"), "");
}

TEST(ProbeLibTorchTest, KnowsThisProcess) {
  Facts facts;
  ProbeLibTorch(facts);
  EXPECT_THAT(facts.libtorch_headers, StartsWith("2."));
  EXPECT_EQ(facts.libtorch_library, facts.libtorch_headers);
  EXPECT_THAT(facts.libtorch_path, EndsWith("/libtorch_cpu.so"));
  EXPECT_THAT(facts.cpu_path, AnyOf("AVX512", "AVX2", "DEFAULT"));
  EXPECT_GT(facts.cpu_cores, 0);
  EXPECT_GT(facts.threads, 0);
  if (facts.cpu_path == "AVX512") {
    EXPECT_THAT(facts.cpu_features, Contains("avx512_f"));
  }
}

TEST(ProbeLibTorchTest, ListsOperatorsWithTheirKernels) {
  Facts facts;
  ProbeLibTorch(facts);
  std::map<std::string, OperatorFacts> operators;
  for (const OperatorFacts& op : facts.operators) operators[op.name] = op;
  for (const char* name :
       {"ms_deform_attn", "ms_deform_attn_backward", "ms_deform_attn_fused",
        "ms_deform_attn_fused_backward"}) {
    ASSERT_EQ(operators.count(name), 1) << name;
    EXPECT_THAT(operators[name].devices, Contains("CPU")) << name;
    EXPECT_THAT(operators[name].wanted, ElementsAre("CPU", "CUDA")) << name;
  }
  // The CPU reads maps without the dispatcher.
  for (const char* name : {"point_sample_read", "point_sample_add"}) {
    ASSERT_EQ(operators.count(name), 1) << name;
    EXPECT_THAT(operators[name].devices, Not(Contains("CPU"))) << name;
    EXPECT_THAT(operators[name].wanted, ElementsAre("CUDA")) << name;
    EXPECT_EQ(operators[name].otherwise, "CPU portable code") << name;
  }
  EXPECT_THAT(operators["window_attention"].devices, ElementsAre("CPU"));
  EXPECT_THAT(operators["window_attention"].wanted, ElementsAre("CPU"));
  EXPECT_EQ(operators["window_attention"].otherwise,
            "CUDA scaled_dot_product_attention");
  EXPECT_EQ(operators.size(), 7);
  if (Compiled().cuda) {
    for (const auto& [name, op] : operators) {
      EXPECT_THAT(op.devices, IsSupersetOf(op.wanted)) << name;
    }
  }
}

}  // namespace
}  // namespace mask2former
