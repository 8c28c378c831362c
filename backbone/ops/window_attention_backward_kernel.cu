// A block computes one head in every so many-th window, one after another. Its
// threads are the window's queries first, of which each goes through all keys
// twice (what its softmax divides by; then the gradients of its scores), and
// then the window's keys, of which each goes through all queries once. So every
// gradient is summed by one thread, in one order; scores are computed three
// times and never in memory, but for their gradients, which the block adds up
// over its windows: the gradient of the bias.

#include <cuda_runtime.h>

#include <algorithm>

#include "mask2former/backbone/ops/window_attention_kernel.h"
#include "mask2former/backbone/ops/window_attention_rows.h"
#include "mask2former/common/cuda/dynamic_shared_memory.h"
#include "mask2former/common/cuda/exponential.h"
#include "mask2former/common/cuda/launch.h"

namespace mask2former::ops {
namespace {

// A thread per position, in whole warps.
constexpr int Threads(int positions) { return (positions + 31) / 32 * 32; }
constexpr int kMaxThreads = Threads(kMaxCudaWindow * kMaxCudaWindow);

// Fills any GPU; more would only be more parts to add up.
constexpr int64_t kWantedBlocks = 1024;

// What turns a query's scores into weights and the gradients of weights into
// those of scores.
struct SoftmaxOfRow {
  float largest;     // Of the scores.
  float reciprocal;  // One over the sum of exponentials.
  float mean;        // Of the gradients of the weights, by weight.

  __device__ float Weight(float score) const {
    return Exponential(score - largest) * reciprocal;
  }
};

__device__ float Dot(const Row& row, const float* other) {
  float sum = 0;
#pragma unroll
  for (int q = 0; q < kQuads; ++q) {
    AddProduct(row.quads[q], LoadQuad(other + 4 * q), &sum);
  }
  return sum;
}

__device__ void AddRow(const float* row, float factor, Row* sum) {
#pragma unroll
  for (int q = 0; q < kQuads; ++q) {
    AddScaled(LoadQuad(row + 4 * q), factor, &sum->quads[q]);
  }
}

// The scores of a thread's own position with the others of its window: as a
// query with keys, or as a key with queries.
template <typename T>
struct OwnScores {
  const SharedWindow& shared;
  const T* bias;  // [T, T], own positions last.
  int positions, own;
  bool has_parts;

  __device__ void LoadBiases(int first, float* biases) const {
    LoadBias(bias, positions, first, own, biases);
  }
  // The same bits for a query and a key as for that key and that query: scores
  // in the thousands have errors that no exponential forgives.
  __device__ float With(int other, const Row& row, float bias_of_it) const {
    const bool masked = has_parts && shared.parts[other] != shared.parts[own];
    return fmaf(Dot(row, shared.rows_a + other * kRowStride), kScoreScale,
                bias_of_it) +
           (masked ? kMaskedScore : 0.f);
  }
};

// Of a query, given the gradient of what it gathers. Keys and values are in
// rows_a and rows_b.
template <typename T>
__device__ SoftmaxOfRow FindSoftmax(const OwnScores<T>& own_scores,
                                    const Row& query, const Row& grad) {
  const float* const values = own_scores.shared.rows_b;
  SoftmaxOfRow softmax = {kLowestScore, 0, 0};
  float sum = 0, weighted = 0;
  for (int first = 0; first < own_scores.positions; first += kChunk) {
    float biases[kChunk], scores[kChunk], grad_weights[kChunk];
    own_scores.LoadBiases(first, biases);
    float largest = softmax.largest;
#pragma unroll
    for (int c = 0; c < kChunk; ++c) {
      const int key = first + c;
      scores[c] = own_scores.With(key, query, biases[c]);
      grad_weights[c] = Dot(grad, values + key * kRowStride);
      largest = max(largest, scores[c]);
    }
    const float rescale = Exponential(softmax.largest - largest);
    softmax.largest = largest;
    sum *= rescale;
    weighted *= rescale;
#pragma unroll
    for (int c = 0; c < kChunk; ++c) {
      const float exponential = Exponential(scores[c] - largest);
      sum += exponential;
      weighted += exponential * grad_weights[c];
    }
  }
  softmax.reciprocal = Reciprocal(sum);
  softmax.mean = weighted * softmax.reciprocal;
  return softmax;
}

// The gradient of a query, given that of what it gathers, before the scale of
// scores; calls add(key, gradient of the score) for every key. Keys and values
// are in rows_a and rows_b.
template <typename T, typename Add>
__device__ Row GradientOfQuery(const OwnScores<T>& own_scores, const Row& query,
                               const Row& grad, const SoftmaxOfRow& softmax,
                               Add add) {
  const SharedWindow& shared = own_scores.shared;
  Row result = Row::Zero();
  for (int first = 0; first < own_scores.positions; first += kChunk) {
    float biases[kChunk];
    own_scores.LoadBiases(first, biases);
#pragma unroll
    for (int c = 0; c < kChunk; ++c) {
      const int key = first + c;
      if (key >= own_scores.positions) break;
      const float weight =
          softmax.Weight(own_scores.With(key, query, biases[c]));
      const float grad_weight = Dot(grad, shared.rows_b + key * kRowStride);
      const float grad_score = weight * (grad_weight - softmax.mean);
      AddRow(shared.rows_a + key * kRowStride, grad_score, &result);
      add(key, grad_score);
    }
  }
  return result;
}

// Adds to the gradients of a key (before the scale of scores) and of its value.
// Queries and gradients of what they gather are in rows_a and rows_b.
template <typename T>
__device__ void AddGradientsOfKey(const OwnScores<T>& own_scores,
                                  const Row& key, const Row& value,
                                  const SoftmaxOfRow* softmaxes, Row* grad_key,
                                  Row* grad_value) {
  const SharedWindow& shared = own_scores.shared;
  for (int first = 0; first < own_scores.positions; first += kChunk) {
    float biases[kChunk];
    own_scores.LoadBiases(first, biases);
#pragma unroll
    for (int c = 0; c < kChunk; ++c) {
      const int query = first + c;
      if (query >= own_scores.positions) break;
      const float* const grad = shared.rows_b + query * kRowStride;
      const SoftmaxOfRow softmax = softmaxes[query];
      const float weight =
          softmax.Weight(own_scores.With(query, key, biases[c]));
      const float grad_score = weight * (Dot(value, grad) - softmax.mean);
      AddRow(shared.rows_a + query * kRowStride, grad_score, grad_key);
      AddRow(grad, weight, grad_value);
    }
  }
}

template <typename T>
__global__ void __launch_bounds__(kMaxThreads)
    BackwardKernel(WindowKernelSizes sizes, int64_t windows,
                   const T* __restrict__ grad_output,
                   WindowAttentionInput<T> input, const T* __restrict__ bias,
                   WindowAttentionGradients<T> gradients) {
  const int positions = sizes.positions;
  const SharedWindow shared(DynamicSharedMemory<float>(), positions);
  auto* const softmaxes = reinterpret_cast<SoftmaxOfRow*>(
      shared.parts + WholeChunks(positions));  // [T]
  const int head = static_cast<int>(blockIdx.y);
  const int heads = static_cast<int>(gridDim.y);
  const int channel = head * kHeadDim;
  const RowsOf<const T> qkv = {input.qkv, input.padding, 3 * sizes.channels};
  const RowsOf<T> grad_qkv = {gradients.qkv, nullptr, 3 * sizes.channels};
  // What positions in the padding gather is nobody's.
  const RowsOf<const T> grad_rows = {grad_output, nullptr, sizes.channels};
  const int64_t pairs = int64_t{positions} * positions;
  float* const grad_bias_by_key =
      gradients.bias_by_key + (int64_t{blockIdx.x} * heads + head) * pairs;
  // Threads without a position of their own repeat the last one.
  const int thread = static_cast<int>(threadIdx.x);
  const bool has_own = thread < positions;
  const int own = min(thread, positions - 1);
  const int own_row = own * kRowStride;
  // Of channel `thread`, if it is below 32. What queries in the padding gather
  // is nobody's: they have no gradient.
  float grad_padding_key = 0, grad_padding_value = 0;

  for (int64_t index = blockIdx.x; index < windows; index += gridDim.x) {
    const Window<int32_t> window = sizes.tiling.At(static_cast<int32_t>(index));
    const bool has_parts = sizes.tiling.HasParts(window);
    const bool has_padding = sizes.tiling.MayHavePadding(window);
    const bool is_first = index == blockIdx.x;

    const auto load_queries_and_grads = [&] {
      LoadRows(shared, positions, qkv, channel, shared.rows_a);
      LoadRows(shared, positions, grad_rows, channel, shared.rows_b);
    };
    const auto store_grads = [&](int part, const float* rows) {
      StoreRows(shared, positions, rows, grad_qkv,
                part * sizes.channels + channel);
    };
    const auto add_padding = [&](const float* rows, float* sum) {
      if (!has_padding || thread >= kHeadDim) return;
      for (int p = 0; p < positions; ++p) {
        if (shared.pixels[p] < 0) *sum += rows[p * kRowStride + thread];
      }
    };

    Locate(sizes, window, shared);
    __syncthreads();
    load_queries_and_grads();
    __syncthreads();
    Row key, value;
    {
      const Row query = Row::Load(shared.rows_a + own_row);
      const Row grad = Row::Load(shared.rows_b + own_row);
      __syncthreads();
      LoadRows(shared, positions, qkv, sizes.channels + channel, shared.rows_a);
      LoadRows(shared, positions, qkv, 2 * sizes.channels + channel,
               shared.rows_b);
      __syncthreads();
      const OwnScores<T> with_keys = {shared, input.bias_by_key + head * pairs,
                                      positions, own, has_parts};
      const SoftmaxOfRow softmax = FindSoftmax(with_keys, query, grad);
      Row grad_query = GradientOfQuery(
          with_keys, query, grad, softmax, [&](int k, float grad_score) {
            if (!has_own) return;
            float* const sum = grad_bias_by_key + k * positions + own;
            if (is_first) {
              *sum = grad_score;
            } else {
              // No other thread adds to it; this way none waits for the sum.
              atomicAdd(sum, grad_score);
            }
          });
      grad_query.Scale(kScoreScale);
      key = Row::Load(shared.rows_a + own_row);
      value = Row::Load(shared.rows_b + own_row);
      if (has_own) softmaxes[own] = softmax;
      __syncthreads();
      if (has_own) grad_query.Store(shared.rows_a + own_row);
    }
    __syncthreads();
    store_grads(0, shared.rows_a);
    __syncthreads();

    load_queries_and_grads();
    __syncthreads();
    const OwnScores<T> with_queries = {shared, bias + head * pairs, positions,
                                       own, has_parts};
    Row grad_key = Row::Zero(), grad_value = Row::Zero();
    AddGradientsOfKey(with_queries, key, value, softmaxes, &grad_key,
                      &grad_value);
    grad_key.Scale(kScoreScale);
    __syncthreads();
    if (has_own) {
      grad_key.Store(shared.rows_a + own_row);
      grad_value.Store(shared.rows_b + own_row);
    }
    __syncthreads();
    store_grads(1, shared.rows_a);
    store_grads(2, shared.rows_b);
    add_padding(shared.rows_a, &grad_padding_key);
    add_padding(shared.rows_b, &grad_padding_value);
    __syncthreads();
  }

  if (thread < kHeadDim) {
    float* const sum = gradients.padding +
                       int64_t{blockIdx.x} * 3 * sizes.channels + channel +
                       thread;
    sum[0] = 0;
    sum[sizes.channels] = grad_padding_key;
    sum[2 * sizes.channels] = grad_padding_value;
  }
}

}  // namespace

int64_t WindowAttentionGradientParts(const WindowAttentionSizes& sizes) {
  return std::min(sizes.windows(),
                  std::max<int64_t>(1, kWantedBlocks / sizes.heads));
}

template <typename T>
cudaError_t LaunchWindowAttentionBackward(
    const WindowAttentionSizes& sizes, const T* grad_output,
    const WindowAttentionInput<T>& input, const T* bias,
    const WindowAttentionGradients<T>& gradients, cudaStream_t stream) {
  if (!CudaKernelTakes(sizes)) return cudaErrorInvalidValue;
  if (sizes.windows() == 0) return cudaSuccess;
  if (gradients.parts < 1 || gradients.parts > sizes.windows()) {
    return cudaErrorInvalidValue;
  }
  const int positions = static_cast<int>(sizes.positions());
  const dim3 grid(static_cast<unsigned>(gradients.parts),
                  static_cast<unsigned>(sizes.heads));
  const size_t shared_bytes =
      SharedWindow::Bytes(positions) + positions * sizeof(SoftmaxOfRow);
  return LaunchKernel(BackwardKernel<T>, grid, Threads(positions), shared_bytes,
                      stream, MakeKernelSizes(sizes), sizes.windows(),
                      grad_output, input, bias, gradients);
}

#define M2F_INSTANTIATE(T)                                                   \
  template cudaError_t LaunchWindowAttentionBackward(                        \
      const WindowAttentionSizes&, const T*, const WindowAttentionInput<T>&, \
      const T*, const WindowAttentionGradients<T>&, cudaStream_t);
M2F_INSTANTIATE(float)
M2F_INSTANTIATE(Float16)
M2F_INSTANTIATE(BFloat16)
#undef M2F_INSTANTIATE

}  // namespace mask2former::ops
