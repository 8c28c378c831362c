// Threads: forward, one per output number, neighbouring threads neighbouring
// channels, blocks of 1024. Backward, a block per cell and a thread per
// channel. Memory: every load and every atomic addition is of one number.

#include "mask2former/common/cuda/dynamic_shared_memory.h"
#include "mask2former/common/cuda/launch.h"
#include "mask2former/pixel_decoder/ops/benchmark/per_channel_kernel.h"

namespace mask2former::ops {
namespace {

struct Corners {
  int row, column;  // Of the upper left one.
  float dy, dx;
};

__device__ Corners MakeCorners(float y, float x) {
  const int row = static_cast<int>(floorf(y));
  const int column = static_cast<int>(floorf(x));
  return {row, column, y - static_cast<float>(row),
          x - static_cast<float>(column)};
}

// The value at a pixel of a level, 0 outside.
__device__ float ValueAt(const float* map, int height, int width, int row,
                         int column, int stride) {
  if (row < 0 || row >= height || column < 0 || column >= width) return 0;
  return map[(row * width + column) * stride];
}

__global__ void __launch_bounds__(1024) PerChannelKernel(
    int count, int heads, int head_dim, int queries, int positions, int levels,
    int points, const int64_t* __restrict__ level_shapes,
    const float* __restrict__ value, const float* __restrict__ locations,
    const float* __restrict__ weights, float* __restrict__ output) {
  for (int index = blockIdx.x * blockDim.x + threadIdx.x; index < count;
       index += blockDim.x * gridDim.x) {
    const int channel = index % head_dim;
    const int cell = index / head_dim;
    const int head = cell % heads;
    const int image = cell / heads / queries;
    const int stride = heads * head_dim;
    int sample = cell * levels * points;
    const float* map =
        value + image * positions * stride + head * head_dim + channel;
    float sum = 0;
    for (int l = 0; l < levels; ++l) {
      const int height = static_cast<int>(level_shapes[2 * l]);
      const int width = static_cast<int>(level_shapes[2 * l + 1]);
      for (int p = 0; p < points; ++p, ++sample) {
        const float x =
            locations[2 * sample] * static_cast<float>(width) - 0.5f;
        const float y =
            locations[2 * sample + 1] * static_cast<float>(height) - 0.5f;
        const float weight = weights[sample];
        if (y > -1 && x > -1 && y < static_cast<float>(height) &&
            x < static_cast<float>(width)) {
          const Corners c = MakeCorners(y, x);
          const float v1 = ValueAt(map, height, width, c.row, c.column, stride);
          const float v2 =
              ValueAt(map, height, width, c.row, c.column + 1, stride);
          const float v3 =
              ValueAt(map, height, width, c.row + 1, c.column, stride);
          const float v4 =
              ValueAt(map, height, width, c.row + 1, c.column + 1, stride);
          sum +=
              weight * ((1 - c.dy) * (1 - c.dx) * v1 + (1 - c.dy) * c.dx * v2 +
                        c.dy * (1 - c.dx) * v3 + c.dy * c.dx * v4);
        }
      }
      map += height * width * stride;
    }
    output[index] = sum;
  }
}

__global__ void PerChannelBackwardKernel(
    int heads, int queries, int positions, int levels, int points,
    const int64_t* __restrict__ level_shapes,
    const float* __restrict__ grad_output, const float* __restrict__ value,
    const float* __restrict__ locations, const float* __restrict__ weights,
    float* grad_value, float* __restrict__ grad_locations,
    float* __restrict__ grad_weights) {
  float* const sums = DynamicSharedMemory<float>();  // [3, D]
  const int head_dim = blockDim.x;
  const int channel = threadIdx.x;
  const int cell = blockIdx.x;
  const int head = cell % heads;
  const int image = cell / heads / queries;
  const int stride = heads * head_dim;
  int sample = cell * levels * points;
  int64_t map = static_cast<int64_t>(image) * positions * stride +
                head * head_dim + channel;
  const float grad = grad_output[cell * head_dim + channel];
  for (int l = 0; l < levels; ++l) {
    const int height = static_cast<int>(level_shapes[2 * l]);
    const int width = static_cast<int>(level_shapes[2 * l + 1]);
    for (int p = 0; p < points; ++p, ++sample) {
      const float x = locations[2 * sample] * static_cast<float>(width) - 0.5f;
      const float y =
          locations[2 * sample + 1] * static_cast<float>(height) - 0.5f;
      const float weight = weights[sample];
      float own_x = 0, own_y = 0, own_weight = 0;
      if (y > -1 && x > -1 && y < static_cast<float>(height) &&
          x < static_cast<float>(width)) {
        const Corners c = MakeCorners(y, x);
        float interpolated = 0;
        for (int k = 0; k < 4; ++k) {
          const int row = c.row + k / 2;
          const int column = c.column + k % 2;
          if (row < 0 || row >= height || column < 0 || column >= width) {
            continue;
          }
          const float part_y = k / 2 != 0 ? c.dy : 1 - c.dy;
          const float part_x = k % 2 != 0 ? c.dx : 1 - c.dx;
          const int64_t address = map + (row * width + column) * stride;
          const float v = value[address];
          atomicAdd(grad_value + address, part_y * part_x * weight * grad);
          interpolated += part_y * part_x * v;
          own_x += (k % 2 != 0 ? v : -v) * part_y;
          own_y += (k / 2 != 0 ? v : -v) * part_x;
        }
        own_weight = grad * interpolated;
        own_x *= static_cast<float>(width) * weight * grad;
        own_y *= static_cast<float>(height) * weight * grad;
      }
      sums[channel] = own_weight;
      sums[head_dim + channel] = own_x;
      sums[2 * head_dim + channel] = own_y;
      __syncthreads();
      if (channel == 0) {
        float all_weight = 0, all_x = 0, all_y = 0;
        for (int i = 0; i < head_dim; ++i) {
          all_weight += sums[i];
          all_x += sums[head_dim + i];
          all_y += sums[2 * head_dim + i];
        }
        grad_weights[sample] = all_weight;
        grad_locations[2 * sample] = all_x;
        grad_locations[2 * sample + 1] = all_y;
      }
      __syncthreads();
    }
    map += static_cast<int64_t>(height) * width * stride;
  }
}

__global__ void LocationsKernel(int count, int heads, int levels, int points,
                                const int64_t* __restrict__ level_shapes,
                                const float* __restrict__ reference_points,
                                const float* __restrict__ offsets,
                                float* __restrict__ locations) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const int l = i / 2 / points % levels;
  const int query = i / 2 / points / levels / heads;
  const int axis = i % 2;
  locations[i] =
      reference_points[(query * levels + l) * 2 + axis] +
      offsets[i] / static_cast<float>(level_shapes[2 * l + 1 - axis]);
}

__global__ void SoftmaxKernel(int cells, int count,
                              const float* __restrict__ logits,
                              float* __restrict__ weights) {
  const int cell = blockIdx.x * blockDim.x + threadIdx.x;
  if (cell >= cells) return;
  const float* const row = logits + cell * count;
  float maximum = row[0];
  for (int i = 1; i < count; ++i) maximum = fmaxf(maximum, row[i]);
  float sum = 0;
  for (int i = 0; i < count; ++i) sum += expf(row[i] - maximum);
  for (int i = 0; i < count; ++i) {
    weights[cell * count + i] = expf(row[i] - maximum) / sum;
  }
}

int Int(int64_t x) { return static_cast<int>(x); }

int Cells(const MsDeformAttnSizes& sizes) {
  return Int(sizes.batch * sizes.queries * sizes.heads);
}

}  // namespace

cudaError_t LaunchPerChannel(const MsDeformAttnSizes& sizes,
                             const int64_t* level_shapes, const float* value,
                             const float* locations, const float* weights,
                             float* output, cudaStream_t stream) {
  const int count = Cells(sizes) * Int(sizes.head_dim);
  return LaunchKernel(PerChannelKernel, dim3((count + 1023) / 1024), dim3(1024),
                      0, stream, count, Int(sizes.heads), Int(sizes.head_dim),
                      Int(sizes.queries), Int(sizes.positions),
                      Int(sizes.levels), Int(sizes.points), level_shapes, value,
                      locations, weights, output);
}

cudaError_t LaunchPerChannelBackward(const MsDeformAttnSizes& sizes,
                                     const int64_t* level_shapes,
                                     const float* grad_output,
                                     const float* value, const float* locations,
                                     const float* weights, float* grad_value,
                                     float* grad_locations, float* grad_weights,
                                     cudaStream_t stream) {
  return LaunchKernel(
      PerChannelBackwardKernel, dim3(Cells(sizes)), dim3(Int(sizes.head_dim)),
      3 * sizes.head_dim * sizeof(float), stream, Int(sizes.heads),
      Int(sizes.queries), Int(sizes.positions), Int(sizes.levels),
      Int(sizes.points), level_shapes, grad_output, value, locations, weights,
      grad_value, grad_locations, grad_weights);
}

cudaError_t LaunchLocations(const MsDeformAttnSizes& sizes,
                            const int64_t* level_shapes,
                            const float* reference_points, const float* offsets,
                            float* locations, cudaStream_t stream) {
  const int count = 2 * Cells(sizes) * Int(sizes.levels * sizes.points);
  return LaunchKernel(LocationsKernel, dim3((count + 255) / 256), dim3(256), 0,
                      stream, count, Int(sizes.heads), Int(sizes.levels),
                      Int(sizes.points), level_shapes, reference_points,
                      offsets, locations);
}

cudaError_t LaunchSoftmax(const MsDeformAttnSizes& sizes, const float* logits,
                          float* weights, cudaStream_t stream) {
  return LaunchKernel(SoftmaxKernel, dim3((Cells(sizes) + 255) / 256),
                      dim3(256), 0, stream, Cells(sizes),
                      Int(sizes.levels * sizes.points), logits, weights);
}

}  // namespace mask2former::ops
