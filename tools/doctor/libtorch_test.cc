#include "mask2former/tools/doctor/libtorch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "mask2former/tools/doctor/compiled.h"

namespace mask2former {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::IsEmpty;
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
  const std::vector<std::string> kCpu = {"CPU"}, kBoth = {"CPU", "CUDA"};
  Facts facts;
  ProbeLibTorch(facts);
  std::map<std::string, OperatorFacts> operators;
  for (const OperatorFacts& op : facts.operators) operators[op.name] = op;
  for (const char* name :
       {"ms_deform_attn", "ms_deform_attn_backward", "ms_deform_attn_fused",
        "ms_deform_attn_fused_backward", "point_sample",
        "point_sample_backward", "window_attention",
        "window_attention_backward"}) {
    ASSERT_EQ(operators.count(name), 1) << name;
    EXPECT_EQ(operators[name].devices, Compiled().cuda ? kBoth : kCpu) << name;
  }
  EXPECT_THAT(operators["ms_deform_attn"].other_kernels, IsEmpty());
  EXPECT_EQ(operators["point_sample"].other_kernels["CPU"], "portable code");
  EXPECT_THAT(operators["window_attention"].other_kernels, IsEmpty());
  EXPECT_EQ(operators["window_attention_backward"].other_kernels["CPU"],
            "LibTorch");
  EXPECT_EQ(operators.size(), 8);
}

}  // namespace
}  // namespace mask2former
