#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_WARP_FUNCTIONS_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_WARP_FUNCTIONS_H_

// CUDA's barriers and functions of a warp. A shuffle from a lane outside the
// mask, undefined on a GPU, gives bytes 0xff: NaN for floating-point types.

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "mask2former/tools/cuda_emulation/block.h"

namespace mask2former {

template <typename T>
uint64_t ToLaneValue(T value) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}

template <typename T>
T FromLaneValue(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

// The value of lane `source`.
inline uint64_t TakeFrom(int source, uint32_t mask, const LaneInput* inputs) {
  return (mask >> source & 1) != 0 ? inputs[source].value : ~uint64_t{0};
}

// A shuffle's parameter holds its offset, source lane or lane mask, and its
// width.
inline int32_t PackShuffle(int number, int width) {
  return static_cast<int32_t>(static_cast<uint32_t>(number & 0xffff) << 8 |
                              static_cast<uint32_t>(width));
}

template <typename T>
T Shuffle(const char* name, uint32_t mask, T value, int number, int width,
          WarpCombine combine, CallPlace place) {
  return FromLaneValue<T>(WarpCollective(
      name, mask, {ToLaneValue(value), PackShuffle(number, width)}, combine,
      place));
}

// `source` in the lane's group of `width`, if it is inside, else the own value.
inline uint64_t TakeInGroup(int lane, int source, int width, uint32_t mask,
                            const LaneInput* inputs) {
  const int begin = lane / width * width;
  const bool inside = source >= begin && source < begin + width;
  return TakeFrom(inside ? source : lane, mask, inputs);
}

inline int ShuffleNumber(const LaneInput& input) {
  return static_cast<int16_t>(input.parameter >> 8);
}

inline int ShuffleWidth(const LaneInput& input) {
  return input.parameter & 0xff;
}

inline uint32_t Ballot(uint32_t mask, const LaneInput* inputs) {
  uint32_t result = 0;
  for (int i = 0; i < 32; ++i) {
    if ((mask >> i & 1) != 0 && inputs[i].value != 0) result |= 1u << i;
  }
  return result;
}

template <typename T, typename Combine>
T Reduce(uint32_t mask, const LaneInput* inputs, Combine combine) {
  T result = {};
  bool first = true;
  for (int i = 0; i < 32; ++i) {
    if ((mask >> i & 1) == 0) continue;
    const T value = FromLaneValue<T>(inputs[i].value);
    result = first ? value : combine(result, value);
    first = false;
  }
  return result;
}

}  // namespace mask2former

inline void __syncthreads(
    mask2former::CallPlace place = mask2former::CallPlace::Here()) {
  mask2former::BlockBarrier("__syncthreads", false, place);
}

inline int __syncthreads_count(
    int predicate,
    mask2former::CallPlace place = mask2former::CallPlace::Here()) {
  return mask2former::BlockBarrier("__syncthreads_count", predicate != 0,
                                   place);
}

inline int __syncthreads_or(int predicate, mask2former::CallPlace place =
                                               mask2former::CallPlace::Here()) {
  return mask2former::BlockBarrier("__syncthreads_or", predicate != 0, place) >
         0;
}

inline int __syncthreads_and(
    int predicate,
    mask2former::CallPlace place = mask2former::CallPlace::Here()) {
  return mask2former::BlockBarrier("__syncthreads_and", predicate == 0,
                                   place) == 0;
}

inline void __syncwarp(
    unsigned mask = 0xffffffff,
    mask2former::CallPlace place = mask2former::CallPlace::Here()) {
  mask2former::WarpCollective(
      "__syncwarp", mask, {},
      [](int, uint32_t, const mask2former::LaneInput*) { return uint64_t{0}; },
      place);
}

template <typename T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32,
              mask2former::CallPlace place = mask2former::CallPlace::Here()) {
  return mask2former::Shuffle(
      "__shfl_sync", mask, value, source & (width - 1), width,
      [](int lane, uint32_t m, const mask2former::LaneInput* inputs) {
        const int w = mask2former::ShuffleWidth(inputs[lane]);
        const int source = mask2former::ShuffleNumber(inputs[lane]);
        return mask2former::TakeFrom(lane / w * w + source, m, inputs);
      },
      place);
}

template <typename T>
T __shfl_up_sync(
    unsigned mask, T value, unsigned delta, int width = 32,
    mask2former::CallPlace place = mask2former::CallPlace::Here()) {
  return mask2former::Shuffle(
      "__shfl_up_sync", mask, value, static_cast<int>(delta), width,
      [](int lane, uint32_t m, const mask2former::LaneInput* inputs) {
        const auto& in = inputs[lane];
        return mask2former::TakeInGroup(
            lane, lane - mask2former::ShuffleNumber(in),
            mask2former::ShuffleWidth(in), m, inputs);
      },
      place);
}

template <typename T>
T __shfl_down_sync(
    unsigned mask, T value, unsigned delta, int width = 32,
    mask2former::CallPlace place = mask2former::CallPlace::Here()) {
  return mask2former::Shuffle(
      "__shfl_down_sync", mask, value, static_cast<int>(delta), width,
      [](int lane, uint32_t m, const mask2former::LaneInput* inputs) {
        const auto& in = inputs[lane];
        return mask2former::TakeInGroup(
            lane, lane + mask2former::ShuffleNumber(in),
            mask2former::ShuffleWidth(in), m, inputs);
      },
      place);
}

template <typename T>
T __shfl_xor_sync(
    unsigned mask, T value, int lane_mask, int width = 32,
    mask2former::CallPlace place = mask2former::CallPlace::Here()) {
  return mask2former::Shuffle(
      "__shfl_xor_sync", mask, value, lane_mask, width,
      [](int lane, uint32_t m, const mask2former::LaneInput* inputs) {
        const auto& in = inputs[lane];
        return mask2former::TakeInGroup(
            lane, lane ^ mask2former::ShuffleNumber(in),
            mask2former::ShuffleWidth(in), m, inputs);
      },
      place);
}

inline unsigned __ballot_sync(
    unsigned mask, int predicate,
    mask2former::CallPlace place = mask2former::CallPlace::Here()) {
  return static_cast<unsigned>(mask2former::WarpCollective(
      "__ballot_sync", mask, {predicate != 0, 0},
      [](int, uint32_t m, const mask2former::LaneInput* inputs) {
        return uint64_t{mask2former::Ballot(m, inputs)};
      },
      place));
}

inline int __any_sync(
    unsigned mask, int predicate,
    mask2former::CallPlace place = mask2former::CallPlace::Here()) {
  return static_cast<int>(mask2former::WarpCollective(
      "__any_sync", mask, {predicate != 0, 0},
      [](int, uint32_t m, const mask2former::LaneInput* inputs) {
        return uint64_t{mask2former::Ballot(m, inputs) != 0};
      },
      place));
}

inline int __all_sync(
    unsigned mask, int predicate,
    mask2former::CallPlace place = mask2former::CallPlace::Here()) {
  return static_cast<int>(mask2former::WarpCollective(
      "__all_sync", mask, {predicate != 0, 0},
      [](int, uint32_t m, const mask2former::LaneInput* inputs) {
        return uint64_t{mask2former::Ballot(m, inputs) == m};
      },
      place));
}

template <typename T>
unsigned __match_any_sync(
    unsigned mask, T value,
    mask2former::CallPlace place = mask2former::CallPlace::Here()) {
  return static_cast<unsigned>(mask2former::WarpCollective(
      "__match_any_sync", mask, {mask2former::ToLaneValue(value), 0},
      [](int lane, uint32_t m, const mask2former::LaneInput* inputs) {
        uint64_t result = 0;
        for (int i = 0; i < 32; ++i) {
          if ((m >> i & 1) != 0 && inputs[i].value == inputs[lane].value) {
            result |= uint64_t{1} << i;
          }
        }
        return result;
      },
      place));
}

#define M2F_REDUCE_SYNC(name, T, expression)                           \
  inline T name(                                                       \
      unsigned mask, T value,                                          \
      mask2former::CallPlace place = mask2former::CallPlace::Here()) { \
    return mask2former::FromLaneValue<T>(mask2former::WarpCollective(  \
        #name, mask, {mask2former::ToLaneValue(value), 0},             \
        [](int, uint32_t m, const mask2former::LaneInput* inputs) {    \
          return mask2former::ToLaneValue(mask2former::Reduce<T>(      \
              m, inputs,                                               \
              [](T a, T b) { return static_cast<T>(expression); }));   \
        },                                                             \
        place));                                                       \
  }

M2F_REDUCE_SYNC(__reduce_add_sync, unsigned, a + b)
M2F_REDUCE_SYNC(__reduce_add_sync, int,
                static_cast<unsigned>(a) + static_cast<unsigned>(b))
M2F_REDUCE_SYNC(__reduce_min_sync, unsigned, a < b ? a : b)
M2F_REDUCE_SYNC(__reduce_min_sync, int, a < b ? a : b)
M2F_REDUCE_SYNC(__reduce_max_sync, unsigned, a < b ? b : a)
M2F_REDUCE_SYNC(__reduce_max_sync, int, a < b ? b : a)
M2F_REDUCE_SYNC(__reduce_and_sync, unsigned, a& b)
M2F_REDUCE_SYNC(__reduce_or_sync, unsigned, a | b)
M2F_REDUCE_SYNC(__reduce_xor_sync, unsigned, a ^ b)

#undef M2F_REDUCE_SYNC

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_WARP_FUNCTIONS_H_
