#include "mask2former/tools/benchmark/tf32.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/requires_cuda.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

const c10::Device kCpu(c10::kCPU), kGpu(c10::kCUDA, 0);

class Tf32Test : public ::testing::Test {
 protected:
  ~Tf32Test() override { AllowTf32(Tf32::kConvolutions); }
};

bool Products() { return at::globalContext().allowTF32CuBLAS(); }
bool Convolutions() { return at::globalContext().allowTF32CuDNN(); }

// First, before anything is set.
TEST_F(Tf32Test, ConvolutionsAreLibTorchsOwnChoice) {
  EXPECT_FALSE(Products());
  EXPECT_TRUE(Convolutions());
}

TEST_F(Tf32Test, IsAllowedByName) {
  ASSERT_THAT(ParseTf32("all").status(), IsOk());
  AllowTf32(*ParseTf32("all"));
  EXPECT_TRUE(Products());
  EXPECT_TRUE(Convolutions());
  AllowTf32(*ParseTf32("none"));
  EXPECT_FALSE(Products());
  EXPECT_FALSE(Convolutions());
  AllowTf32(*ParseTf32("convolutions"));
  EXPECT_FALSE(Products());
  EXPECT_TRUE(Convolutions());
  EXPECT_THAT(ParseTf32("some").status().message(), HasSubstr("'some'"));
}

TEST_F(Tf32Test, IsTheFastestArithmeticWhereItIsAllowed) {
  for (const Tf32 which : {Tf32::kConvolutions, Tf32::kAll}) {
    AllowTf32(which);
    EXPECT_EQ(FastestArithmetic(kGpu, Precision::kFloat32), "TF32");
    EXPECT_EQ(FastestArithmetic(kCpu, Precision::kFloat32), "float32");
    EXPECT_EQ(FastestArithmetic(kGpu, Precision::kFloat16), "float16");
    EXPECT_EQ(FastestArithmetic(kGpu, Precision::kBFloat16), "bfloat16");
  }
  AllowTf32(Tf32::kNone);
  EXPECT_EQ(FastestArithmetic(kGpu, Precision::kFloat32), "float32");
  EXPECT_EQ(FastestArithmetic(kGpu, Precision::kBFloat16), "bfloat16");
}

TEST_F(Tf32Test, TheGuardMakesProductsFastForAWhile) {
  for (const Tf32 which : {Tf32::kNone, Tf32::kConvolutions, Tf32::kAll}) {
    AllowTf32(which);
    const bool convolutions = Convolutions(), products = Products();
    for (const Precision precision :
         {Precision::kFloat32, Precision::kBFloat16}) {
      {
        const FastestProductsGuard guard(kGpu, precision);
        EXPECT_EQ(Products(), products || (which != Tf32::kNone &&
                                           precision == Precision::kFloat32));
        EXPECT_EQ(Convolutions(), convolutions);
      }
      EXPECT_EQ(Products(), products);
    }
    const FastestProductsGuard guard(kCpu, Precision::kFloat32);
    EXPECT_EQ(Products(), products);
  }
}

TEST_F(Tf32Test, ProductsOnAGpuAreExactUnlessItIsAllowed) {
  M2F_REQUIRES_CUDA();
  const at::Tensor a = at::rand({256, 256}, at::device(kGpu));
  const at::Tensor exact = at::mm(a.to(at::kDouble), a.to(at::kDouble));
  const auto error = [&] {
    return ((at::mm(a, a) - exact).abs() / exact).max().item<double>();
  };
  AllowTf32(Tf32::kConvolutions);
  EXPECT_LT(error(), 1e-5);
  const FastestProductsGuard guard(kGpu, Precision::kFloat32);
  EXPECT_LT(error(), 2e-3);
}

}  // namespace
}  // namespace mask2former
