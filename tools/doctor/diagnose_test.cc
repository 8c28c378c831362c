#include "mask2former/tools/doctor/diagnose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A machine without a GPU and a build that wants none.
Facts SoundCpu() {
  Facts facts;
  facts.libtorch_headers = facts.libtorch_library = "2.11.0";
  facts.libtorch_path = "/opt/torch/lib/libtorch_cpu.so";
  facts.libtorch_cuda = "13.0";
  facts.cuda_runtime = 13000;
  facts.protobuf_headers = facts.protobuf_library = "3.21.12";
  facts.protobuf_copies = {"/usr/lib/libprotobuf.so.32"};
  facts.opencv_headers = facts.opencv_library = "4.6.0";
  facts.cpu_features = {"avx2", "avx512_f"};
  facts.cpu_cores = facts.threads = 2;
  facts.cpu_path = "AVX512";
  facts.operators = {{"ms_deform_attn", {"CPU"}}, {"point_sample", {"CPU"}}};
  facts.driver.error = "libcuda.so.1: cannot open shared object file";
  return facts;
}

// An H100 and a build for it.
Facts SoundGpu() {
  Facts facts = SoundCpu();
  facts.compiled = {/*cuda=*/true, {80, 90}, 90};
  facts.driver = {/*found=*/true, "", 13000, {{"H100", 90, int64_t{80} << 30}}};
  facts.libtorch_has_cuda = true;
  for (OperatorFacts& op : facts.operators) op.devices = {"CPU", "CUDA"};
  return facts;
}

auto Problem(const char* what, const char* fix) {
  return AllOf(Field(&Finding::severity, Finding::Severity::kProblem),
               Field(&Finding::what, HasSubstr(what)),
               Field(&Finding::fix, HasSubstr(fix)));
}

auto Note(const char* what, const char* fix) {
  return AllOf(Field(&Finding::severity, Finding::Severity::kNote),
               Field(&Finding::what, HasSubstr(what)),
               Field(&Finding::fix, HasSubstr(fix)));
}

TEST(DiagnoseTest, FindsNothingOnSoundMachines) {
  EXPECT_THAT(Diagnose(SoundCpu()), IsEmpty());
  EXPECT_THAT(Diagnose(SoundGpu()), IsEmpty());
}

TEST(DiagnoseTest, NamesTheMissingArchitectureByNumber) {
  Facts facts = SoundGpu();
  facts.driver.gpus.push_back({"Tesla T4", 75, int64_t{16} << 30});
  EXPECT_THAT(
      Diagnose(facts),
      ElementsAre(Problem("GPU 1 (Tesla T4) has compute capability 7.5, this "
                          "build has code for 8.0, 9.0 and PTX for 9.0",
                          "Add \"75\" in tools/config/")));
}

TEST(DiagnoseTest, OffersNoRebuildForGpusThatCudaHasGivenUp) {
  Facts facts = SoundGpu();
  facts.driver.gpus = {{"Tesla V100", 70, int64_t{16} << 30}};
  EXPECT_THAT(Diagnose(facts),
              ElementsAre(Problem("7.0", "7.5 or newer: CUDA 13")));
}

TEST(DiagnoseTest, SaysWhenTheDriverMustTranslate) {
  Facts facts = SoundGpu();
  facts.driver.gpus = {{"B200", 100, int64_t{180} << 30}};
  EXPECT_THAT(Diagnose(facts), ElementsAre(Note("10.0", "Add \"100\"")));
}

TEST(DiagnoseTest, FindsADriverOlderThanTheRuntime) {
  Facts facts = SoundGpu();
  facts.driver.version = 12040;
  EXPECT_THAT(Diagnose(facts),
              ElementsAre(Problem(
                  "programs up to CUDA 12.4, the CUDA runtime is 13.0",
                  "Update the driver (R580 or newer for CUDA 13), or use a "
                  "LibTorch built for CUDA 12.")));
  // Within a major version an older driver runs newer programs.
  facts.driver.version = 13000;
  facts.cuda_runtime = 13020;
  EXPECT_THAT(Diagnose(facts), IsEmpty());
}

TEST(DiagnoseTest, FindsAnotherRuntimeThanLibTorchs) {
  Facts facts = SoundGpu();
  facts.cuda_runtime = 12080;
  EXPECT_THAT(Diagnose(facts),
              ElementsAre(Problem("built with CUDA 13.0", "LD_LIBRARY_PATH")));
}

TEST(DiagnoseTest, FindsACudaBuildWithoutDriver) {
  Facts facts = SoundGpu();
  facts.driver = {};
  facts.driver.error = "cannot open libcuda.so.1";
  facts.libtorch_has_cuda = false;
  EXPECT_THAT(Diagnose(facts),
              ElementsAre(Problem("cannot open libcuda.so.1", "--gpus=all")));
}

TEST(DiagnoseTest, FindsThatNoGpuIsVisible) {
  Facts facts = SoundGpu();
  facts.driver.gpus.clear();
  facts.libtorch_has_cuda = false;
  EXPECT_THAT(Diagnose(facts),
              ElementsAre(Problem("shows no GPU", "CUDA_VISIBLE_DEVICES")));
}

TEST(DiagnoseTest, FindsALibTorchThatCannotUseTheGpu) {
  Facts facts = SoundGpu();
  facts.libtorch_has_cuda = false;
  EXPECT_THAT(Diagnose(facts),
              ElementsAre(Problem("/opt/torch/lib", "ldd libtorch_cuda.so")));
  facts.libtorch_cuda.clear();
  EXPECT_THAT(Diagnose(facts),
              ElementsAre(Problem("/opt/torch/lib", "LibTorch with CUDA")));
}

TEST(DiagnoseTest, MentionsAGpuThatACpuBuildLeavesIdle) {
  Facts facts = SoundCpu();
  facts.driver = SoundGpu().driver;
  EXPECT_THAT(Diagnose(facts), ElementsAre(Note("H100", "--config=cuda")));
}

TEST(DiagnoseTest, FindsLibrariesOfAnotherVersionThanTheHeaders) {
  Facts facts = SoundCpu();
  facts.libtorch_library = "2.10.0";
  facts.protobuf_library = "3.20.3";
  facts.opencv_library = "4.8.0";
  EXPECT_THAT(
      Diagnose(facts),
      ElementsAre(
          Problem("LibTorch 2.11.0's headers, but 2.10.0", "LIBTORCH_ROOT"),
          Problem("protobuf 3.21.12's headers, but 3.20.3", "libprotobuf-dev"),
          Problem("OpenCV 4.6.0's headers, but 4.8.0", "OPENCV_ROOT")));
}

TEST(DiagnoseTest, IgnoresLocalPartsOfVersions) {
  Facts facts = SoundCpu();
  facts.libtorch_library = "2.11.0+cu130";
  EXPECT_THAT(Diagnose(facts), IsEmpty());
}

TEST(DiagnoseTest, FindsTwoProtobufs) {
  Facts facts = SoundCpu();
  facts.protobuf_copies.push_back("/opt/libprotobuf.so.25");
  EXPECT_THAT(
      Diagnose(facts),
      ElementsAre(Problem("2 times: /usr/lib/libprotobuf.so.32, /opt/libproto",
                          "LD_LIBRARY_PATH")));
}

TEST(DiagnoseTest, FindsMissingKernels) {
  Facts facts = SoundGpu();
  facts.operators = {{"ms_deform_attn", {"CPU"}},
                     {"other", {"CUDA"}},
                     {"whole", {"CPU", "CUDA"}}};
  EXPECT_THAT(
      Diagnose(facts),
      ElementsAre(
          Problem("ms_deform_attn has no kernel for CUDA", "--config=cuda"),
          Problem("other has no kernel for the CPU", "alwayslink")));
  facts.compiled = {};
  facts.driver = {};
  EXPECT_THAT(
      Diagnose(facts),
      ElementsAre(Problem("other has no kernel for the CPU", "alwayslink")));
}

TEST(DiagnoseTest, NotesSlowCpuSettings) {
  Facts facts = SoundCpu();
  facts.cpu_path_forced = true;
  facts.cpu_path = "AVX2";
  EXPECT_THAT(Diagnose(facts),
              ElementsAre(Note("AVX-512", "ATEN_CPU_CAPABILITY")));
  facts.cpu_path = "DEFAULT";
  EXPECT_THAT(Diagnose(facts),
              ElementsAre(Note("portable", "ATEN_CPU_CAPABILITY")));
  facts.cpu_features.clear();
  EXPECT_THAT(Diagnose(facts), IsEmpty());
  facts.threads = 8;
  EXPECT_THAT(Diagnose(facts),
              ElementsAre(Note("8 threads on 2", "OMP_NUM_THREADS=2")));
}

TEST(DiagnoseTest, PutsProblemsFirst) {
  Facts facts = SoundGpu();
  facts.driver.gpus = {{"B200", 100, 1}, {"T4", 75, 1}};
  EXPECT_THAT(Diagnose(facts),
              ElementsAre(Problem("T4", "75"), Note("B200", "100")));
}

TEST(CodeForTest, FollowsCudasRules) {
  const CompiledFacts compiled = {/*cuda=*/true, {80, 90}, 90};
  EXPECT_EQ(CodeFor(compiled, 75), KernelCode::kMissing);
  EXPECT_EQ(CodeFor(compiled, 80), KernelCode::kMachineCode);
  EXPECT_EQ(CodeFor(compiled, 89), KernelCode::kMachineCode);
  EXPECT_EQ(CodeFor(compiled, 90), KernelCode::kMachineCode);
  EXPECT_EQ(CodeFor(compiled, 120), KernelCode::kPtx);
  EXPECT_EQ(CodeFor({/*cuda=*/true, {86}, 0}, 80), KernelCode::kMissing);
  EXPECT_EQ(CodeFor({/*cuda=*/true, {86}, 0}, 90), KernelCode::kMissing);
}

TEST(NamesTest, AreThoseOfNvidia) {
  EXPECT_EQ(CapabilityName(100), "10.0");
  EXPECT_EQ(CudaVersionName(12080), "12.8");
}

}  // namespace
}  // namespace mask2former
