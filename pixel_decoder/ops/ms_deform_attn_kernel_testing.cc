#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace mask2former::ops {
namespace {

using Random = std::mt19937;

std::vector<float> Uniform(int64_t count, double low, double high,
                           Random* random) {
  std::vector<float> result(count);
  for (float& x : result) {
    x = static_cast<float>(low + (high - low) * ((*random)() * 0x1p-32));
  }
  return result;
}

std::vector<float> UniformRounded(int64_t count, double low, double high,
                                  float (*round)(float), Random* random) {
  std::vector<float> result = Uniform(count, low, high, random);
  for (float& x : result) x = round(x);
  return result;
}

MsDeformAttnSizes SizesOf(const KernelCase& c) {
  MsDeformAttnSizes sizes = {};
  sizes.batch = c.batch;
  sizes.heads = c.heads;
  sizes.head_dim = c.head_dim;
  sizes.queries = c.queries;
  sizes.points = c.points;
  sizes.levels = static_cast<int64_t>(c.level_shapes.size()) / 2;
  for (int64_t l = 0; l < sizes.levels; ++l) {
    sizes.positions += c.level_shapes[2 * l] * c.level_shapes[2 * l + 1];
  }
  return sizes;
}

struct Counts {
  explicit Counts(const MsDeformAttnSizes& s)
      : values(s.batch * s.positions * s.heads * s.head_dim),
        outputs(s.batch * s.queries * s.heads * s.head_dim),
        samples(s.batch * s.queries * s.heads * s.levels * s.points) {}

  const int64_t values, outputs, samples;
};

// The same with locations in double, for the fused form builds on it.
PlainResult Reference(const MsDeformAttnSizes& s,
                      const std::vector<int64_t>& shapes,
                      const std::vector<float>& value,
                      const std::vector<double>& locations,
                      const std::vector<double>& weights,
                      const std::vector<float>& grad_output) {
  const Counts counts(s);
  PlainResult r;
  r.output.resize(counts.outputs);
  r.grad_value.resize(counts.values);
  r.grad_locations.resize(2 * counts.samples);
  r.grad_weights.resize(counts.samples);
  int64_t sample = 0;
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t q = 0; q < s.queries; ++q) {
      for (int64_t m = 0; m < s.heads; ++m) {
        const int64_t out = ((b * s.queries + q) * s.heads + m) * s.head_dim;
        int64_t start = 0;
        for (int64_t l = 0; l < s.levels; ++l) {
          const int64_t height = shapes[2 * l];
          const int64_t width = shapes[2 * l + 1];
          for (int64_t p = 0; p < s.points; ++p, ++sample) {
            const double x = locations[2 * sample] * width - 0.5;
            const double y = locations[2 * sample + 1] * height - 0.5;
            // Every pixel weighs what a hat of width 1 around the place says.
            if (!(x > -1 && x < width && y > -1 && y < height)) continue;
            for (const double row : {std::floor(y), std::floor(y) + 1}) {
              for (const double column : {std::floor(x), std::floor(x) + 1}) {
                if (row < 0 || row >= height || column < 0 || column >= width) {
                  continue;
                }
                const double hat_y = 1 - std::abs(y - row);
                const double hat_x = 1 - std::abs(x - column);
                const double slope_y = row > std::floor(y) ? 1 : -1;
                const double slope_x = column > std::floor(x) ? 1 : -1;
                const int64_t position = start +
                                         static_cast<int64_t>(row) * width +
                                         static_cast<int64_t>(column);
                const int64_t in =
                    ((b * s.positions + position) * s.heads + m) * s.head_dim;
                for (int64_t c = 0; c < s.head_dim; ++c) {
                  const double v = value[in + c];
                  const double g = grad_output[out + c];
                  const double w = weights[sample];
                  r.output[out + c] += w * hat_y * hat_x * v;
                  r.grad_value[in + c] += w * hat_y * hat_x * g;
                  r.grad_weights[sample] += hat_y * hat_x * v * g;
                  r.grad_locations[2 * sample] +=
                      w * width * slope_x * hat_y * v * g;
                  r.grad_locations[2 * sample + 1] +=
                      w * height * slope_y * hat_x * v * g;
                }
              }
            }
          }
          start += height * width;
        }
      }
    }
  }
  return r;
}

std::vector<double> ToDoubles(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

PlainArguments RandomPlain(const KernelCase& c, float (*round)(float)) {
  PlainArguments a;
  a.sizes = SizesOf(c);
  a.level_shapes = c.level_shapes;
  const Counts counts(a.sizes);
  Random random(1);
  a.value = UniformRounded(counts.values, -2, 2, round, &random);
  a.locations = Uniform(2 * counts.samples, -0.25, 1.25, &random);
  a.weights = Uniform(counts.samples, 0, 0.5, &random);
  a.grad_output = UniformRounded(counts.outputs, -1, 1, round, &random);
  return a;
}

FusedArguments RandomFused(const KernelCase& c, float (*round)(float),
                           float (*round_raw)(float)) {
  FusedArguments a;
  a.sizes = SizesOf(c);
  a.level_shapes = c.level_shapes;
  a.reference_batch = c.batch % 2 == 0 ? c.batch : 1;
  const Counts counts(a.sizes);
  Random random(2);
  a.value = UniformRounded(counts.values, -2, 2, round, &random);
  a.reference_points = Uniform(
      a.reference_batch * c.queries * a.sizes.levels * 2, -0.05, 1.05, &random);
  a.offsets = UniformRounded(2 * counts.samples, -3, 3, round_raw, &random);
  a.logits = UniformRounded(counts.samples, -4, 4, round_raw, &random);
  a.grad_output = UniformRounded(counts.outputs, -1, 1, round, &random);
  return a;
}

PlainResult ReferenceForward(const PlainArguments& a) {
  PlainResult result = ReferenceBackward(a);
  return {result.output, {}, {}, {}};
}

PlainResult ReferenceBackward(const PlainArguments& a) {
  return Reference(a.sizes, a.level_shapes, a.value, ToDoubles(a.locations),
                   ToDoubles(a.weights), a.grad_output);
}

FusedResult FusedReference(const FusedArguments& a) {
  const MsDeformAttnSizes& s = a.sizes;
  const int64_t count = s.levels * s.points;
  std::vector<double> locations(a.offsets.size()), weights(a.logits.size());
  for (size_t i = 0; i < a.offsets.size(); ++i) {
    const int64_t axis = static_cast<int64_t>(i) % 2;
    const int64_t l = static_cast<int64_t>(i) / 2 / s.points % s.levels;
    const int64_t cell = static_cast<int64_t>(i) / 2 / count;
    const int64_t q = cell / s.heads % s.queries;
    const int64_t b = a.reference_batch == 1 ? 0 : cell / s.heads / s.queries;
    locations[i] =
        a.reference_points[((b * s.queries + q) * s.levels + l) * 2 + axis] +
        static_cast<double>(a.offsets[i]) / a.level_shapes[2 * l + 1 - axis];
  }
  for (size_t first = 0; first < weights.size(); first += count) {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += std::exp(a.logits[first + i]);
    for (int64_t i = 0; i < count; ++i) {
      weights[first + i] = std::exp(a.logits[first + i]) / sum;
    }
  }
  PlainResult plain =
      Reference(s, a.level_shapes, a.value, locations, weights, a.grad_output);
  FusedResult result = {plain.output, plain.grad_value, plain.grad_locations,
                        plain.grad_weights};
  for (size_t i = 0; i < a.offsets.size(); ++i) {
    const int64_t l = static_cast<int64_t>(i) / 2 / s.points % s.levels;
    result.grad_offsets[i] /= a.level_shapes[2 * l + 1 - i % 2];
  }
  for (size_t first = 0; first < weights.size(); first += count) {
    double mean = 0;
    for (int64_t i = 0; i < count; ++i) {
      mean += weights[first + i] * plain.grad_weights[first + i];
    }
    for (int64_t i = 0; i < count; ++i) {
      result.grad_logits[first + i] =
          weights[first + i] * (plain.grad_weights[first + i] - mean);
    }
  }
  return result;
}

void ExpectNear(const std::vector<float>& actual,
                const std::vector<double>& expected, double atol, double rtol,
                const std::string& name) {
  ASSERT_EQ(actual.size(), expected.size()) << name;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(actual[i] - expected[i]);
    ASSERT_LE(error, atol + rtol * std::abs(expected[i]))
        << name << "[" << i << "]: " << actual[i] << " instead of "
        << expected[i];
    ASSERT_FALSE(std::isnan(actual[i])) << name << "[" << i << "]";
  }
}

}  // namespace mask2former::ops
