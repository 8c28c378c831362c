#include "mask2former/common/cuda/missing_kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mask2former {
namespace {

using ::testing::HasSubstr;

TEST(MissingKernelsTest, NamesBothSidesByNumberAndTheFix) {
  EXPECT_EQ(MissingKernels(75, {80, 90}, 90),
            "the GPU has compute capability 7.5, this build has kernels for "
            "8.0, 9.0 and PTX for 9.0 and later: add \"75\" in "
            "tools/config/cuda_architectures.bzl and rebuild with "
            "--config=cuda (//tools/doctor says what fits)");
}

TEST(MissingKernelsTest, BearsWhatIsUnknown) {
  EXPECT_THAT(MissingKernels(0, {}, 0),
              HasSubstr("capability unknown, this build has kernels for none: "
                        "add \"the GPU's\""));
}

TEST(MissingKernelsTest, KnowsThisBuild) {
#ifdef MASK2FORMER_CUDA_ARCHITECTURES
  EXPECT_THAT(MissingKernels(75), HasSubstr("and PTX for "));
#else
  EXPECT_EQ(MissingKernels(75), MissingKernels(75, {}, 0));
#endif
}

}  // namespace
}  // namespace mask2former
