#include "mask2former/backbone/ops/window_attention_kernel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "mask2former/common/cuda/half.h"
#include "mask2former/common/testing/device_buffer.h"

namespace mask2former::ops {
namespace {

using Numbers = std::vector<double>;

// Arguments, and the gradient of the output.
struct Problem {
  WindowAttentionSizes sizes;
  Numbers qkv, padding, bias, grad_output;
};

// Of numbers that every type holds exactly.
Problem Draw(const WindowAttentionSizes& sizes) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  const auto draw = [&](int64_t count) {
    Numbers numbers(count);
    for (double& v : numbers) {
      v = std::clamp(std::round(normal(random) * 32) / 32, -3.96875, 3.96875);
    }
    return numbers;
  };
  const int64_t pixels = sizes.batch * sizes.height * sizes.width;
  const int64_t t = sizes.positions();
  Problem problem = {sizes, draw(pixels * 3 * sizes.channels()),
                     draw(3 * sizes.channels()), draw(sizes.heads * t * t),
                     draw(pixels * sizes.channels())};
  return problem;
}

struct Results {
  Numbers output, grad_qkv, grad_padding, grad_bias;
};

// By the definition, in double: window by window and head by head; where the
// positions of a window come from is worked out on the padded map.
Results Reference(const Problem& problem) {
  const WindowAttentionSizes& s = problem.sizes;
  const int64_t t = s.positions(), d = s.head_dim, c = s.channels();
  const int64_t height = s.rows() * s.window, width = s.columns() * s.window;
  const double scale = 1 / std::sqrt(static_cast<double>(d));
  Results results = {
      Numbers(problem.grad_output.size()), Numbers(problem.qkv.size()),
      Numbers(problem.padding.size()), Numbers(problem.bias.size())};
  const auto band = [&](int64_t place, int64_t size) {
    return (place >= size - s.window) + (place >= size - s.shift);
  };
  for (int64_t w = 0; w < s.windows(); ++w) {
    const int64_t image = w / (s.rows() * s.columns());
    const int64_t top = w / s.columns() % s.rows() * s.window;
    const int64_t left = w % s.columns() * s.window;
    std::vector<int64_t> pixel(t), label(t);
    for (int64_t p = 0; p < t; ++p) {
      const int64_t row = top + p / s.window, column = left + p % s.window;
      const int64_t y = (row + s.shift) % height;
      const int64_t x = (column + s.shift) % width;
      pixel[p] = y < s.height && x < s.width
                     ? (image * s.height + y) * s.width + x
                     : -1;
      label[p] = s.shift > 0 ? 3 * band(row, height) + band(column, width) : 0;
    }
    for (int64_t h = 0; h < s.heads; ++h) {
      // Of query, key or value 0, 1 or 2.
      const auto input = [&](int64_t p, int part, int64_t channel) {
        const int64_t at = part * c + h * d + channel;
        return pixel[p] < 0 ? problem.padding[at]
                            : problem.qkv[pixel[p] * 3 * c + at];
      };
      const auto grad_input = [&](int64_t p, int part,
                                  int64_t channel) -> double& {
        const int64_t at = part * c + h * d + channel;
        return pixel[p] < 0 ? results.grad_padding[at]
                            : results.grad_qkv[pixel[p] * 3 * c + at];
      };
      for (int64_t i = 0; i < t; ++i) {
        Numbers weight(t);
        double largest = -HUGE_VAL;
        for (int64_t j = 0; j < t; ++j) {
          double score = problem.bias[(h * t + i) * t + j];
          for (int64_t k = 0; k < d; ++k) {
            score += scale * input(i, 0, k) * input(j, 1, k);
          }
          weight[j] = label[i] == label[j] ? score : score - 100;
          largest = std::max(largest, weight[j]);
        }
        double sum = 0;
        for (double& v : weight) sum += v = std::exp(v - largest);
        for (double& v : weight) v /= sum;
        if (pixel[i] < 0) continue;  // Cut off.
        const int64_t out = pixel[i] * c + h * d;
        Numbers grad_weight(t);
        double mean = 0;
        for (int64_t j = 0; j < t; ++j) {
          for (int64_t k = 0; k < d; ++k) {
            results.output[out + k] += weight[j] * input(j, 2, k);
            grad_weight[j] += problem.grad_output[out + k] * input(j, 2, k);
            grad_input(j, 2, k) += weight[j] * problem.grad_output[out + k];
          }
          mean += weight[j] * grad_weight[j];
        }
        for (int64_t j = 0; j < t; ++j) {
          const double grad_score = weight[j] * (grad_weight[j] - mean);
          results.grad_bias[(h * t + i) * t + j] += grad_score;
          for (int64_t k = 0; k < d; ++k) {
            grad_input(i, 0, k) += grad_score * scale * input(j, 1, k);
            grad_input(j, 1, k) += grad_score * scale * input(i, 0, k);
          }
        }
      }
    }
  }
  return results;
}

template <typename T>
std::vector<T> ConvertTo(const Numbers& numbers) {
  std::vector<T> result;
  for (const double v : numbers) {
    result.push_back(FromFloat<T>(static_cast<float>(v)));
  }
  return result;
}

template <typename T>
Numbers ConvertFrom(const std::vector<T>& values) {
  Numbers result;
  for (const T v : values) result.push_back(ToFloat(v));
  return result;
}

// [M, T, T] with the last two dimensions in turns.
template <typename T>
std::vector<T> Transposed(const WindowAttentionSizes& sizes,
                          const std::vector<T>& bias) {
  const int64_t t = sizes.positions();
  std::vector<T> result(bias.size());
  for (size_t at = 0; at < bias.size(); ++at) {
    const auto i = static_cast<int64_t>(at);
    result[(i / (t * t) * t + i % t) * t + i / t % t] = bias[at];
  }
  return result;
}

Numbers SumOfParts(const Numbers& numbers, int64_t parts) {
  Numbers sums(numbers.size() / parts);
  for (size_t i = 0; i < numbers.size(); ++i)
    sums[i % sums.size()] += numbers[i];
  return sums;
}

template <typename T>
Numbers RunForward(const Problem& problem) {
  const DeviceBuffer<T> qkv(ConvertTo<T>(problem.qkv));
  const DeviceBuffer<T> padding(ConvertTo<T>(problem.padding));
  const DeviceBuffer<T> bias(
      Transposed(problem.sizes, ConvertTo<T>(problem.bias)));
  DeviceBuffer<T> output(problem.grad_output.size());
  M2F_EXPECT_CUDA_SUCCESS(LaunchWindowAttention<T>(
      problem.sizes, {qkv.data(), padding.data(), bias.data()}, output.data(),
      nullptr));
  return ConvertFrom(output.ToHost());
}

// Without output.
template <typename T>
Results RunBackward(const Problem& problem, int64_t parts) {
  const DeviceBuffer<T> qkv(ConvertTo<T>(problem.qkv));
  const DeviceBuffer<T> padding(ConvertTo<T>(problem.padding));
  const std::vector<T> host_bias = ConvertTo<T>(problem.bias);
  const DeviceBuffer<T> bias(host_bias);
  const DeviceBuffer<T> bias_by_key(Transposed(problem.sizes, host_bias));
  const DeviceBuffer<T> grad_output(ConvertTo<T>(problem.grad_output));
  DeviceBuffer<T> grad_qkv(problem.qkv.size());
  DeviceBuffer<float> grad_padding(problem.padding.size() * parts);
  DeviceBuffer<float> grad_bias(problem.bias.size() * parts);
  M2F_EXPECT_CUDA_SUCCESS(LaunchWindowAttentionBackward<T>(
      problem.sizes, grad_output.data(),
      {qkv.data(), padding.data(), bias_by_key.data()}, bias.data(),
      {grad_qkv.data(), parts, grad_padding.data(), grad_bias.data()},
      nullptr));
  return {{},
          ConvertFrom(grad_qkv.ToHost()),
          SumOfParts(ConvertFrom(grad_padding.ToHost()), parts),
          Transposed(problem.sizes,
                     SumOfParts(ConvertFrom(grad_bias.ToHost()), parts))};
}

// Rounded to T; `tolerance` is for what arithmetic in float loses, relative to
// the largest number.
template <typename T>
void ExpectNear(const Numbers& actual, const Numbers& expected,
                double tolerance, const char* what) {
  ASSERT_EQ(actual.size(), expected.size());
  const double unit = std::is_same_v<T, float>     ? 0
                      : std::is_same_v<T, Float16> ? 0x1p-11
                                                   : 0x1p-8;
  // Of Float16's smallest, which are apart by this.
  const double least = std::is_same_v<T, Float16> ? 0x1p-25 : 0;
  double scale = 1;
  for (const double v : expected) scale = std::max(scale, std::fabs(v));
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i],
                tolerance * scale + unit * std::fabs(expected[i]) + least)
        << what << ", element " << i;
  }
}

template <typename T>
void ExpectForwardEqualsReference(const WindowAttentionSizes& sizes) {
  const Problem problem = Draw(sizes);
  ExpectNear<T>(RunForward<T>(problem), Reference(problem).output, 2e-6,
                "output");
}

template <typename T>
void ExpectBackwardEqualsReference(const WindowAttentionSizes& sizes,
                                   int64_t parts) {
  const Problem problem = Draw(sizes);
  const Results actual = RunBackward<T>(problem, parts);
  const Results expected = Reference(problem);
  ExpectNear<T>(actual.grad_qkv, expected.grad_qkv, 2e-6, "grad_qkv");
  // Sums, which stay float.
  ExpectNear<float>(actual.grad_padding, expected.grad_padding, 2e-6,
                    "grad_padding");
  ExpectNear<float>(actual.grad_bias, expected.grad_bias, 2e-6, "grad_bias");
}

class WindowAttentionKernelTest
    : public testing::TestWithParam<WindowAttentionSizes> {};

TEST_P(WindowAttentionKernelTest, ForwardEqualsTheReference) {
  M2F_REQUIRES_DEVICE();
  ExpectForwardEqualsReference<float>(GetParam());
}

TEST_P(WindowAttentionKernelTest, BackwardEqualsTheReference) {
  M2F_REQUIRES_DEVICE();
  ExpectBackwardEqualsReference<float>(
      GetParam(), WindowAttentionGradientParts(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, WindowAttentionKernelTest,
    testing::Values(WindowAttentionSizes{1, 14, 7, 1, 32, 7, 0},
                    WindowAttentionSizes{2, 10, 9, 2, 32, 7, 3},
                    // One window, larger than the map.
                    WindowAttentionSizes{1, 5, 3, 1, 32, 7, 3},
                    WindowAttentionSizes{1, 14, 11, 2, 32, 12, 6},
                    WindowAttentionSizes{2, 3, 12, 3, 32, 5, 4},
                    WindowAttentionSizes{1, 9, 8, 1, 32, 8, 0},
                    WindowAttentionSizes{1, 4, 3, 2, 32, 2, 1},
                    // Padding in the last two rows, or columns, of windows.
                    WindowAttentionSizes{1, 11, 5, 1, 32, 5, 2},
                    WindowAttentionSizes{1, 5, 11, 1, 32, 5, 2},
                    WindowAttentionSizes{1, 2, 3, 1, 32, 1, 0}));

// Shifted windows, some with padding.
constexpr WindowAttentionSizes kSizes = {2, 8, 11, 2, 32, 5, 2};

TEST(WindowAttentionKernelTypesTest, HalfTypesAreRoundedOnce) {
  M2F_REQUIRES_DEVICE();
  ExpectForwardEqualsReference<Float16>(kSizes);
  ExpectForwardEqualsReference<BFloat16>(kSizes);
  ExpectBackwardEqualsReference<Float16>(kSizes, 5);
  ExpectBackwardEqualsReference<BFloat16>(kSizes, 12);
}

TEST(WindowAttentionKernelPartsTest, AddUpToTheSame) {
  M2F_REQUIRES_DEVICE();
  for (const int64_t parts : {1, 2, 5, 12}) {
    ExpectBackwardEqualsReference<float>(kSizes, parts);
  }
}

TEST(WindowAttentionKernelPartsTest, FillAGpuAndNoMore) {
  EXPECT_EQ(WindowAttentionGradientParts(kSizes), 12);
  EXPECT_EQ(WindowAttentionGradientParts({1, 700, 700, 4, 32, 7, 0}), 256);
  EXPECT_EQ(WindowAttentionGradientParts({1, 700, 700, 4096, 32, 7, 0}), 1);
  EXPECT_EQ(WindowAttentionGradientParts({0, 700, 700, 4, 32, 7, 0}), 0);
}

TEST(WindowAttentionKernelDeterminismTest, GivesTheSameBitsTwice) {
  M2F_REQUIRES_DEVICE();
  const Problem problem = Draw(kSizes);
  EXPECT_EQ(RunForward<float>(problem), RunForward<float>(problem));
  const Results once = RunBackward<float>(problem, 3);
  const Results again = RunBackward<float>(problem, 3);
  EXPECT_EQ(once.grad_qkv, again.grad_qkv);
  EXPECT_EQ(once.grad_padding, again.grad_padding);
  EXPECT_EQ(once.grad_bias, again.grad_bias);
}

// What checks the kernels is checked itself.
TEST(WindowAttentionKernelReferenceTest, GradientsEqualCentralDifferences) {
  Problem problem = Draw({1, 4, 5, 2, 2, 3, 1});
  const Results results = Reference(problem);
  const auto loss = [&] {
    const Numbers output = Reference(problem).output;
    double sum = 0;
    for (size_t i = 0; i < output.size(); ++i) {
      sum += output[i] * problem.grad_output[i];
    }
    return sum;
  };
  for (const auto& [numbers, gradient] :
       {std::pair(&problem.qkv, &results.grad_qkv),
        std::pair(&problem.padding, &results.grad_padding),
        std::pair(&problem.bias, &results.grad_bias)}) {
    for (size_t i = 0; i < numbers->size(); i += 3) {
      constexpr double kStep = 1e-5;
      const double value = (*numbers)[i];
      (*numbers)[i] = value + kStep;
      const double above = loss();
      (*numbers)[i] = value - kStep;
      const double below = loss();
      (*numbers)[i] = value;
      EXPECT_NEAR((above - below) / (2 * kStep), (*gradient)[i], 1e-8) << i;
    }
  }
}

TEST(WindowAttentionKernelExtremesTest, NotANumberStaysInItsWindowAndHead) {
  M2F_REQUIRES_DEVICE();
  Problem problem = Draw({1, 6, 6, 2, 32, 3, 0});
  // Of the query of row 1, column 1, head 0: of it alone.
  problem.qkv[(6 + 1) * 3 * 64] = std::numeric_limits<double>::quiet_NaN();
  const Numbers output = RunForward<float>(problem);
  for (size_t i = 0; i < output.size(); ++i) {
    EXPECT_EQ(std::isnan(output[i]), i / 32 == (6 + 1) * 2) << i;
  }
}

TEST(WindowAttentionKernelExtremesTest, FarSmallerScoresCountNothing) {
  M2F_REQUIRES_DEVICE();
  // The only key that counts comes behind many that are infinitely far below,
  // and before others.
  Problem problem = Draw({1, 5, 5, 1, 32, 5, 0});
  for (size_t i = 0; i < problem.bias.size(); ++i) {
    const size_t key = i % 25;
    problem.bias[i] = key < 15 ? -HUGE_VAL : key == 17 ? 1000. : -1000.;
  }
  const Numbers output = RunForward<float>(problem);
  for (size_t i = 0; i < output.size(); ++i) {
    EXPECT_EQ(output[i], problem.qkv[17 * 96 + 64 + i % 32]) << i;
  }
  const Results results = RunBackward<float>(problem, 1);
  ExpectNear<float>(results.grad_qkv, Reference(problem).grad_qkv, 1e-6,
                    "grad_qkv");
}

// Both directions, in float.
void ExpectEqualsReference(const Problem& problem, double tolerance) {
  const Results expected = Reference(problem);
  ExpectNear<float>(RunForward<float>(problem), expected.output, tolerance,
                    "output");
  const Results actual = RunBackward<float>(problem, 1);
  ExpectNear<float>(actual.grad_qkv, expected.grad_qkv, tolerance, "grad_qkv");
  ExpectNear<float>(actual.grad_padding, expected.grad_padding, tolerance,
                    "grad_padding");
  ExpectNear<float>(actual.grad_bias, expected.grad_bias, tolerance,
                    "grad_bias");
}

TEST(WindowAttentionKernelExtremesTest, AHundredIsWhatOtherPartsLose) {
  M2F_REQUIRES_DEVICE();
  // Which their bias gives back, from two upper rows to the lowest.
  Problem problem = Draw({1, 5, 6, 2, 32, 3, 1});
  for (size_t i = 0; i < problem.bias.size(); ++i) {
    if (i / 9 % 9 < 6 && i % 9 >= 6) problem.bias[i] += 100;
  }
  // Numbers near 100 have fewer digits behind the point.
  ExpectEqualsReference(problem, 2e-5);
}

TEST(WindowAttentionKernelExtremesTest, NoScoreIsTooLow) {
  M2F_REQUIRES_DEVICE();
  // Next to which all else is nothing: the mean of all values.
  Problem problem = Draw({1, 5, 5, 1, 32, 5, 0});
  for (double& v : problem.bias) v = -2e38;
  ExpectEqualsReference(problem, 2e-6);
}

TEST(WindowAttentionKernelExtremesTest, LargeScoresStayFinite) {
  M2F_REQUIRES_DEVICE();
  Problem problem = Draw({1, 6, 6, 1, 32, 3, 1});
  for (double& v : problem.qkv) v *= 100;  // Scores of tens of thousands.
  for (const double v : RunForward<float>(problem)) {
    ASSERT_LE(std::fabs(v), 397.);
  }
  for (const double v : RunBackward<float>(problem, 2).grad_qkv) {
    ASSERT_TRUE(std::isfinite(v));
  }
}

TEST(WindowAttentionKernelExtremesTest, WeightsOfLargeScoresSumToOne) {
  M2F_REQUIRES_DEVICE();
  Problem problem = Draw({1, 5, 5, 1, 32, 5, 0});
  for (double& v : problem.qkv) v *= 1000;  // Scores of millions.
  const Numbers grad_qkv = RunBackward<float>(problem, 1).grad_qkv;
  // Then the values' gradients together are those of all that they make up.
  Numbers actual(32), expected(32);
  for (size_t pixel = 0; pixel < 25; ++pixel) {
    for (size_t k = 0; k < 32; ++k) {
      actual[k] += grad_qkv[pixel * 96 + 64 + k];
      expected[k] += problem.grad_output[pixel * 32 + k];
    }
  }
  ExpectNear<float>(actual, expected, 2e-6, "sum of grad_value");
}

TEST(WindowAttentionKernelSizesTest, LaunchesNothingForNothing) {
  M2F_REQUIRES_DEVICE();
  const WindowAttentionSizes sizes = {0, 6, 6, 1, 32, 3, 1};
  M2F_EXPECT_CUDA_SUCCESS(
      LaunchWindowAttention<float>(sizes, {}, nullptr, nullptr));
  M2F_EXPECT_CUDA_SUCCESS(LaunchWindowAttentionBackward<float>(
      sizes, nullptr, {}, nullptr, {}, nullptr));
}

TEST(WindowAttentionKernelSizesTest, RefusesWhatItDoesNotTake) {
  for (const WindowAttentionSizes& sizes :
       {WindowAttentionSizes{1, 6, 6, 1, 64, 3, 1},
        WindowAttentionSizes{1, 6, 6, 1, 32, 0, 0}}) {
    EXPECT_EQ(LaunchWindowAttention<float>(sizes, {}, nullptr, nullptr),
              cudaErrorInvalidValue);
    EXPECT_EQ(LaunchWindowAttentionBackward<float>(sizes, nullptr, {}, nullptr,
                                                   {}, nullptr),
              cudaErrorInvalidValue);
  }
  for (const int64_t parts : {0, 13}) {
    EXPECT_EQ(LaunchWindowAttentionBackward<float>(
                  kSizes, nullptr, {}, nullptr,
                  {nullptr, parts, nullptr, nullptr}, nullptr),
              cudaErrorInvalidValue);
  }
}

}  // namespace
}  // namespace mask2former::ops
