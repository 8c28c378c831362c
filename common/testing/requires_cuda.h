#ifndef MASK2FORMER_COMMON_TESTING_REQUIRES_CUDA_H_
#define MASK2FORMER_COMMON_TESTING_REQUIRES_CUDA_H_

#include <gtest/gtest.h>
#include <torch/cuda.h>

// First line of a test that needs a GPU: skips, and says why, where there is
// none.
#define M2F_REQUIRES_CUDA()                                       \
  if (!torch::cuda::is_available()) {                             \
    GTEST_SKIP() << "needs a GPU and a build with --config=cuda"; \
  }

#endif  // MASK2FORMER_COMMON_TESTING_REQUIRES_CUDA_H_
