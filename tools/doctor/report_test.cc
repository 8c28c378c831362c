#include "mask2former/tools/doctor/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mask2former {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

Facts SomeFacts() {
  Facts facts;
  facts.compiled = {/*cuda=*/true, {80, 90}, 90};
  facts.driver = {
      /*found=*/true, "", 12040, {{"Tesla T4", 75, int64_t{16} << 30}}};
  facts.libtorch_headers = facts.libtorch_library = "2.11.0";
  facts.libtorch_has_cuda = true;
  facts.cuda_runtime = 12040;
  facts.glog_library = "0.6.0";
  facts.glog_path = "/usr/lib/libglog.so.0.6.0";
  facts.opencv_headers = "4.6.0";
  facts.opencv_library = "4.8.0";
  facts.cpu_features = {"aes", "avx2", "avx512_f", "avx512_fp16"};
  facts.cpu_path = "AVX512";
  facts.operators = {
      {"ms_deform_attn", {"CPU", "CUDA"}},
      {"point_sample", {"CPU", "CUDA"}, {{"CPU", "portable code"}}},
      {"window_attention", {"CUDA"}, {{"CUDA", "LibTorch"}}},
      {"nobodys", {}}};
  return facts;
}

const std::vector<Finding> kFindings = {
    {Finding::Severity::kProblem, "it does not fit", "Make it fit."},
    {Finding::Severity::kNote, "it is slow", "Make it fast."}};

TEST(TextReportTest, AlignsRowsAndListsFindings) {
  const std::string text = TextReport(SomeFacts(), kFindings);
  EXPECT_THAT(text, HasSubstr("LibTorch              2.11.0\n"));
  EXPECT_THAT(text, HasSubstr("CUDA driver           up to CUDA 12.4\n"));
  EXPECT_THAT(text, HasSubstr("kernels compiled for  8.0, 9.0, PTX 9.0\n"));
  EXPECT_THAT(text, HasSubstr("Tesla T4, compute capability 7.5, 16 GiB, "
                              "kernels MISSING\n"));
  EXPECT_THAT(text, HasSubstr("glog                  0.6.0\n"));
  EXPECT_THAT(text, HasSubstr("headers 4.6.0, library 4.8.0\n"));
  EXPECT_THAT(text, HasSubstr("vector instructions   avx2 avx512_f\n"));
  EXPECT_THAT(text, HasSubstr("op ms_deform_attn     CPU AVX-512; CUDA\n"));
  EXPECT_THAT(text,
              HasSubstr("op point_sample       CPU portable code; CUDA\n"));
  EXPECT_THAT(text, HasSubstr("op window_attention   CUDA LibTorch\n"));
  EXPECT_THAT(text, HasSubstr("op nobodys            none\n"));
  EXPECT_THAT(text, EndsWith("\nPROBLEM: it does not fit.\n  Make it fit.\n"
                             "\nnote: it is slow.\n  Make it fast.\n"
                             "\n1 problem to solve.\n"));
}

TEST(TextReportTest, SaysThatAllFits) {
  EXPECT_THAT(TextReport(SomeFacts(), {kFindings[1]}),
              EndsWith("All fits. Programs compute on the GPU.\n"));
  EXPECT_THAT(TextReport(Facts(), {}),
              EndsWith("All fits. Programs compute on the CPU.\n"));
  EXPECT_THAT(TextReport(Facts(), {}), HasSubstr("CPU only"));
  EXPECT_THAT(TextReport(Facts(), {}), Not(HasSubstr("GPU")));
}

TEST(JsonReportTest, HoldsTheSame) {
  const nlohmann::json report =
      nlohmann::json::parse(JsonReport(SomeFacts(), kFindings), nullptr, false);
  ASSERT_TRUE(report.is_object());
  EXPECT_EQ(report["ok"], false);
  EXPECT_EQ(report["rows"]["CUDA runtime"], "12.4");
  EXPECT_EQ(report["problems"][0]["what"], "it does not fit");
  EXPECT_EQ(report["problems"][0]["fix"], "Make it fit.");
  EXPECT_EQ(report["notes"].size(), 1u);
  // As tools/bundle/gpu_check.sh reads it.
  EXPECT_THAT(JsonReport(SomeFacts(), {}),
              HasSubstr("\n    \"GPU 0\": \"Tesla T4, compute"));
  EXPECT_THAT(JsonReport(Facts(), {}), Not(HasSubstr("\"GPU ")));
  EXPECT_EQ(nlohmann::json::parse(JsonReport(Facts(), {}))["ok"], true);
}

}  // namespace
}  // namespace mask2former
