#include "mask2former/model/bilinear_taps.h"

#include <ATen/ops/rand.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace mask2former {
namespace {

TEST(MakeBilinearTapsTest, EqualsTheLibrarysResize) {
  for (const auto& [from, to] : std::vector<std::pair<int64_t, int64_t>>{
           {4, 16}, {16, 4}, {7, 7}, {5, 13}, {13, 5}, {1, 6}, {6, 1}}) {
    const at::Tensor row = at::rand({1, 1, 1, from});
    const at::Tensor want = at::upsample_bilinear2d(row, {1, to}, false);
    const std::vector<BilinearTap> taps = MakeBilinearTaps(from, to);
    ASSERT_EQ(taps.size(), to);
    const float* const values = row.data_ptr<float>();
    for (int64_t i = 0; i < to; ++i) {
      const BilinearTap& tap = taps[i];
      ASSERT_LT(tap.second, from);
      EXPECT_NEAR((1 - tap.weight) * values[tap.first] +
                      tap.weight * values[tap.second],
                  want.data_ptr<float>()[i], 1e-6)
          << from << " to " << to << ", pixel " << i;
    }
  }
}

}  // namespace
}  // namespace mask2former
