#include "mask2former/tools/doctor/cuda_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace mask2former {
namespace {

using ::testing::HasSubstr;

constexpr char kFake[] = "tools/doctor/testing/libfake_cuda_driver.so";

TEST(ProbeCudaDriverTest, ListsTheGpus) {
  const DriverFacts facts = ProbeCudaDriver(kFake);
  EXPECT_TRUE(facts.found);
  EXPECT_EQ(facts.error, "");
  EXPECT_EQ(facts.version, 12040);
  ASSERT_EQ(facts.gpus.size(), 2u);
  EXPECT_EQ(facts.gpus[0].name, "Fake 40");
  EXPECT_EQ(facts.gpus[0].capability, 86);
  EXPECT_EQ(facts.gpus[0].memory_bytes, int64_t{24} << 30);
  EXPECT_EQ(facts.gpus[1].capability, 120);
  EXPECT_EQ(facts.gpus[1].memory_bytes, int64_t{48} << 30);
}

TEST(ProbeCudaDriverTest, NamesTheErrorOfADriverThatDoesNotStart) {
  setenv("FAKE_CUDA_ERROR", "100", 1);
  EXPECT_EQ(ProbeCudaDriver(kFake).error,
            "cuInit: error 100, CUDA_ERROR_NO_DEVICE");
  setenv("FAKE_CUDA_ERROR", "999", 1);
  const DriverFacts facts = ProbeCudaDriver(kFake);
  unsetenv("FAKE_CUDA_ERROR");
  EXPECT_EQ(facts.error, "cuInit: error 999");
  EXPECT_TRUE(facts.found);
  EXPECT_TRUE(facts.gpus.empty());
}

TEST(ProbeCudaDriverTest, SaysThatThereIsNoDriver) {
  const DriverFacts facts = ProbeCudaDriver("libno_such_driver.so.1");
  EXPECT_FALSE(facts.found);
  EXPECT_THAT(facts.error, HasSubstr("libno_such_driver.so.1"));
}

TEST(ProbeCudaDriverTest, SaysWhatALibraryLacks) {
  EXPECT_EQ(ProbeCudaDriver("libm.so.6").error,
            "the driver has no cuDriverGetVersion");
}

}  // namespace
}  // namespace mask2former
