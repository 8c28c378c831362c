#include "mask2former/common/point_sample.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/grid_sampler.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "mask2former/common/point_sample_ops.h"
#include "mask2former/common/point_sample_taps.h"
#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

constexpr int kBilinear = 0;     // at::native::GridSamplerInterpolation
constexpr int kZeroPadding = 0;  // at::native::GridSamplerPadding

// Points whose taps are worked out together when they serve a single map; few
// enough to stay in the first-level cache.
constexpr int64_t kChunk = 512;

template <typename Real, typename Pixel>
void ReadMap(const Pixel* map, const PointSampleTaps<Real>* taps, int64_t count,
             Real* output) {
  for (int64_t i = 0; i < count; ++i) output[i] = ReadTaps(map, taps[i]);
}

// The reverse of ReadMap: adds to the pixels that were read.
template <typename Real>
void AddToMap(const Real* gradients, const PointSampleTaps<Real>* taps,
              int64_t count, Real* map) {
  for (int64_t i = 0; i < count; ++i) {
    const PointSampleTaps<Real>& t = taps[i];
    for (int k = 0; k < 4; ++k) map[t.index[k]] += t.weight[k] * gradients[i];
  }
}

// Reads map `rows[i]`, or map i without rows, at points[i / sizes.maps].
// Parallel over maps. A set of points is worked out once per thread.
template <typename Real, typename Pixel>
void ReadMaps(const PointSampleSizes& sizes, const Pixel* maps,
              const int64_t* rows, const Real* points, Real* output) {
  const int64_t pixels = int64_t{sizes.height} * sizes.width;
  const int64_t total = sizes.groups * sizes.maps;
  const int64_t grain = std::max<int64_t>(1, 8192 / (sizes.points + 1));
  at::parallel_for(0, total, grain, [&](int64_t begin, int64_t end) {
    std::vector<PointSampleTaps<Real>> taps;
    while (begin < end) {
      const int64_t group = begin / sizes.maps;
      const int64_t group_end = std::min(end, (group + 1) * sizes.maps);
      const int64_t chunk = group_end - begin > 1 ? sizes.points : kChunk;
      for (int64_t first = 0; first < sizes.points; first += chunk) {
        const int64_t count = std::min(chunk, sizes.points - first);
        const Real* p = points + 2 * (group * sizes.points + first);
        taps.resize(count);
        for (int64_t i = 0; i < count; ++i) {
          taps[i] = MakePointSampleTaps<Real>(p[2 * i], p[2 * i + 1],
                                              sizes.height, sizes.width);
        }
        for (int64_t i = begin; i < group_end; ++i) {
          const int64_t row = rows != nullptr ? rows[i] : i;
          ReadMap(maps + row * pixels, taps.data(), count,
                  output + i * sizes.points + first);
        }
      }
      begin = group_end;
    }
  });
}

// The gradient of ReadMaps with rows. Parallel over rows, if no map occurs
// twice among them: then no two threads write one address.
template <typename Real>
void AddToMaps(const PointSampleSizes& sizes, const Real* gradients,
               const int64_t* rows, bool distinct, const Real* points,
               Real* maps) {
  const int64_t pixels = int64_t{sizes.height} * sizes.width;
  const int64_t grain = distinct ? 1 : std::max<int64_t>(1, sizes.groups);
  at::parallel_for(0, sizes.groups, grain, [&](int64_t begin, int64_t end) {
    PointSampleTaps<Real> taps[kChunk];
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t first = 0; first < sizes.points; first += kChunk) {
        const int64_t count = std::min(kChunk, sizes.points - first);
        const int64_t offset = i * sizes.points + first;
        const Real* p = points + 2 * offset;
        for (int64_t j = 0; j < count; ++j) {
          taps[j] = MakePointSampleTaps<Real>(p[2 * j], p[2 * j + 1],
                                              sizes.height, sizes.width);
        }
        AddToMap(gradients + offset, taps, count, maps + rows[i] * pixels);
      }
    }
  });
}

bool NeedsGradient(const at::Tensor& maps) {
  return at::GradMode::is_enabled() && maps.requires_grad();
}

// Whether ReadMaps can serve these maps: it knows the host only.
bool IsReadable(const at::Tensor& maps) {
  if (!maps.is_cpu()) return false;
  const at::ScalarType type = maps.scalar_type();
  return type == at::kBool || type == at::kByte || type == at::kFloat ||
         type == at::kDouble;
}

at::Tensor Read(const PointSampleSizes& sizes, at::IntArrayRef output_sizes,
                const at::Tensor& maps_in, const int64_t* rows,
                const at::Tensor& points_in) {
  const at::Tensor maps = maps_in.contiguous();
  const at::Tensor points =
      points_in.to(PointSampleResultType(maps)).contiguous();
  at::Tensor output = at::empty(output_sizes, points.options());
  switch (maps.scalar_type()) {
    case at::kDouble:
      ReadMaps(sizes, maps.const_data_ptr<double>(), rows,
               points.const_data_ptr<double>(),
               output.mutable_data_ptr<double>());
      break;
    case at::kFloat:
      ReadMaps(sizes, maps.const_data_ptr<float>(), rows,
               points.const_data_ptr<float>(),
               output.mutable_data_ptr<float>());
      break;
    default:  // bool, which is stored as 0 or 1, and uint8.
      ReadMaps(sizes, static_cast<const uint8_t*>(maps.const_data_ptr()), rows,
               points.const_data_ptr<float>(),
               output.mutable_data_ptr<float>());
  }
  return output;
}

// Their backward directions cannot be differentiated again. Said aloud, for
// autograd would take their results for constants.
void RefuseSecondDerivative(const at::Tensor& gradient) {
  TORCH_CHECK(!at::GradMode::is_enabled() || !gradient.requires_grad(),
              "the gradient of point sampling has no derivative: call "
              "backward() without create_graph");
}

// PointSampleRows for maps in host memory, with a gradient.
class ReadRows final : public torch::autograd::Function<ReadRows> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context,
                            const at::Tensor& maps, const at::Tensor& rows,
                            const at::Tensor& points) {
    context->save_for_backward({rows, points});
    context->saved_data["maps"] = maps.sizes().vec();
    return Read(MakeSizes(maps.sizes(), points), points.sizes().slice(0, 2),
                maps, rows.const_data_ptr<int64_t>(), points);
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context,
      torch::autograd::variable_list gradients) {
    RefuseSecondDerivative(gradients[0]);
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& rows = saved[0];
    const std::vector<int64_t> maps = context->saved_data["maps"].toIntVector();
    const at::Tensor gradient = gradients[0].contiguous();
    const at::Tensor points = saved[1].to(gradient.scalar_type()).contiguous();
    at::Tensor result = at::zeros(maps, gradient.options());
    const PointSampleSizes sizes = MakeSizes(maps, points);
    const int64_t* const row = rows.const_data_ptr<int64_t>();
    std::vector<bool> seen(maps[0]);
    bool distinct = true;
    for (int64_t i = 0; i < rows.size(0); ++i) {
      distinct = distinct && !seen[row[i]];
      seen[row[i]] = true;
    }
    if (gradient.scalar_type() == at::kDouble) {
      AddToMaps(sizes, gradient.const_data_ptr<double>(), row, distinct,
                points.const_data_ptr<double>(),
                result.mutable_data_ptr<double>());
    } else {
      AddToMaps(sizes, gradient.const_data_ptr<float>(), row, distinct,
                points.const_data_ptr<float>(),
                result.mutable_data_ptr<float>());
    }
    return {result, at::Tensor(), at::Tensor()};
  }

 private:
  static PointSampleSizes MakeSizes(at::IntArrayRef maps,
                                    const at::Tensor& points) {
    return {points.size(0),
            1,
            points.size(1),
            static_cast<int32_t>(maps[1]),
            static_cast<int32_t>(maps[2]),
            maps[0]};
  }
};

// PointSampleRead() with a gradient, for maps on other devices.
class ReadOnDevice final : public torch::autograd::Function<ReadOnDevice> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context,
                            const at::Tensor& maps,
                            const std::optional<at::Tensor>& rows,
                            const at::Tensor& points) {
    context->save_for_backward({rows.value_or(at::Tensor()), points});
    context->saved_data["maps"] = maps.sizes().vec();
    context->saved_data["type"] = maps.scalar_type();
    const at::AutoDispatchBelowAutograd below;
    return PointSampleRead(maps, rows, points);
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context,
      torch::autograd::variable_list gradients) {
    RefuseSecondDerivative(gradients[0]);
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const std::optional<at::Tensor> rows =
        saved[0].defined() ? std::optional<at::Tensor>(saved[0]) : std::nullopt;
    const at::Tensor result =
        PointSampleAdd(gradients[0], rows, saved[1],
                       context->saved_data["maps"].toIntVector());
    return {result.to(context->saved_data["type"].toScalarType()), at::Tensor(),
            at::Tensor()};
  }
};

// [N, C, H, W] at [N, T, 2] -> [N, C, T]
at::Tensor GridSample(const at::Tensor& maps, const at::Tensor& points) {
  const at::ScalarType type = PointSampleResultType(maps);
  const at::Tensor grid = 2 * points.to(type).unsqueeze(1) - 1;
  return at::grid_sampler(maps.to(type), grid, kBilinear, kZeroPadding,
                          /*align_corners=*/false)
      .squeeze(2);
}

}  // namespace

at::Tensor PointSample(const at::Tensor& maps, const at::Tensor& points) {
  CheckShape(maps, "maps", {kAny, kAny, kAny, kAny});
  CheckShape(points, "points", {maps.size(0), kAny, 2});
  const PointSampleSizes sizes =
      CheckPointSampleRead(maps, /*rows=*/{}, points);
  if (HasPointSampleOps(maps.device())) {
    return ReadOnDevice::apply(maps, std::optional<at::Tensor>(), points);
  }
  if (!IsReadable(maps) || NeedsGradient(maps)) return GridSample(maps, points);
  return Read(sizes, {sizes.groups, sizes.maps, sizes.points}, maps,
              /*rows=*/nullptr, points);
}

at::Tensor PointSampleRows(const at::Tensor& maps, const at::Tensor& rows,
                           const at::Tensor& points) {
  CheckShape(maps, "maps", {kAny, kAny, kAny});
  CheckShape(rows, "rows", {kAny});
  CheckShape(points, "points", {rows.size(0), kAny, 2});
  CheckPointSampleRead(maps.unsqueeze(1), rows, points);
  const at::Tensor host_rows = rows.cpu().contiguous();
  const int64_t* const row = host_rows.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < host_rows.size(0); ++i) {
    TORCH_CHECK(row[i] >= 0 && row[i] < maps.size(0), "rows[", i,
                "] must be in 0 .. ", maps.size(0) - 1, ", got ", row[i]);
  }
  if (HasPointSampleOps(maps.device())) {
    return ReadOnDevice::apply(maps.unsqueeze(1),
                               std::optional<at::Tensor>(rows), points)
        .squeeze(1);
  }
  if (!IsReadable(maps)) {
    return GridSample(maps.index_select(0, rows.to(maps.device())).unsqueeze(1),
                      points)
        .squeeze(1);
  }
  return ReadRows::apply(maps, host_rows, points);
}

}  // namespace mask2former
