#ifndef MASK2FORMER_PIXEL_DECODER_OPS_VECTOR_BODY_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_VECTOR_BODY_H_

// Vectors of float or double for one set of vector instructions. Include only
// in sources that define first
//
//   M2F_VECTOR_NAMESPACE  a namespace for what is compiled so
//   M2F_VECTOR_BYTES      the size of a vector register: 16, 32 or 64
//   M2F_VECTOR_TARGET     the function attribute that allows the instructions
//
// Several such sources fit into one program, which picks one when it runs:
// everything here is local to the source.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <vector>

#if M2F_VECTOR_BYTES == 64
#include <immintrin.h>
#endif

#define M2F_VECTOR_INLINE \
  M2F_VECTOR_TARGET __attribute__((always_inline)) inline

namespace mask2former::ops::M2F_VECTOR_NAMESPACE {
namespace {

// GCC's and Clang's vector types: arithmetic works element by element.
template <typename scalar_t>
struct VectorOf {
  typedef scalar_t Type __attribute__((vector_size(M2F_VECTOR_BYTES)));
};

template <typename scalar_t>
using Vector = typename VectorOf<scalar_t>::Type;

template <typename scalar_t>
constexpr int64_t kLanes = M2F_VECTOR_BYTES / sizeof(scalar_t);

// std::vector's, whose first element is where a vector register may begin
// without reading two cache lines.
template <typename Number>
struct AlignedAllocator {
  using value_type = Number;

  AlignedAllocator() = default;
  template <typename Other>
  AlignedAllocator(const AlignedAllocator<Other>&) {}

  Number* allocate(size_t count) {
    return static_cast<Number*>(
        ::operator new (count * sizeof(Number), std::align_val_t{64}));
  }
  void deallocate(Number* numbers, size_t) {
    ::operator delete (numbers, std::align_val_t{64});
  }

  friend bool operator==(AlignedAllocator, AlignedAllocator) { return true; }
  friend bool operator!=(AlignedAllocator, AlignedAllocator) { return false; }
};

template <typename Number>
using AlignedVector = std::vector<Number, AlignedAllocator<Number>>;

// `element` is a vector or a single number.
template <typename scalar_t, typename Element>
M2F_VECTOR_INLINE void Load(const scalar_t* source, Element* element) {
  std::memcpy(element, source, sizeof(Element));
}

template <typename scalar_t, typename Element>
M2F_VECTOR_INLINE void Store(const Element& element, scalar_t* destination) {
  std::memcpy(destination, &element, sizeof(Element));
}

// Asks memory for numbers[begin .. begin + size - 1], which need not exist, to
// read or, if kWrite, to overwrite them.
template <bool kWrite = false, typename scalar_t>
M2F_VECTOR_INLINE void Prefetch(const scalar_t* numbers, int64_t begin,
                                int64_t size) {
  constexpr int64_t kCacheLine = 64 / sizeof(scalar_t);
  const auto address = reinterpret_cast<uintptr_t>(numbers);
  for (int64_t i = begin; i < begin + size; i += kCacheLine) {
    __builtin_prefetch(
        reinterpret_cast<const void*>(address + i * sizeof(scalar_t)), kWrite,
        /*locality=*/2);
  }
}

// Fills all lanes of elements[k] with numbers[k], for four numbers at once.
template <typename scalar_t, typename Element>
M2F_VECTOR_INLINE void Broadcast(const scalar_t* numbers, Element* elements) {
#if M2F_VECTOR_BYTES == 64
  // Reads memory once, where every read occupies a unit for a whole register.
  if constexpr (std::is_same_v<Element, Vector<float>>) {
    // The forms with masks, for GCC 12 warns of the others' undefined vectors.
    constexpr __mmask16 kAll = 0xffff;
    const __m512 all =
        _mm512_maskz_broadcast_f32x4(kAll, _mm_loadu_ps(numbers));
    elements[0] = _mm512_maskz_permute_ps(kAll, all, 0x00);
    elements[1] = _mm512_maskz_permute_ps(kAll, all, 0x55);
    elements[2] = _mm512_maskz_permute_ps(kAll, all, 0xaa);
    elements[3] = _mm512_maskz_permute_ps(kAll, all, 0xff);
    return;
  }
#endif
  for (int k = 0; k < 4; ++k) elements[k] = numbers[k] - Element{};
}

// sums[i] = the sum over the lanes of vectors[i], for four vectors at once.
template <typename scalar_t>
M2F_VECTOR_INLINE void SumLanes(const Vector<scalar_t>* vectors,
                                scalar_t* sums) {
  const Vector<scalar_t>& a = vectors[0];
  const Vector<scalar_t>& b = vectors[1];
  const Vector<scalar_t>& c = vectors[2];
  const Vector<scalar_t>& d = vectors[3];
  // Every step halves what is left of each vector: a a a a b b b b -> a a b b.
  if constexpr (kLanes<scalar_t> == 16) {
    const auto ab = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16,
                                            17, 18, 19, 20, 21, 22, 23) +
                    __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15,
                                            24, 25, 26, 27, 28, 29, 30, 31);
    const auto cd = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 16,
                                            17, 18, 19, 20, 21, 22, 23) +
                    __builtin_shufflevector(c, d, 8, 9, 10, 11, 12, 13, 14, 15,
                                            24, 25, 26, 27, 28, 29, 30, 31);
    const auto abcd =
        __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18,
                                19, 24, 25, 26, 27) +
        __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22,
                                23, 28, 29, 30, 31);
    const auto pairs =
        abcd + __builtin_shufflevector(abcd, abcd, 2, 3, 0, 1, 6, 7, 4, 5, 10,
                                       11, 8, 9, 14, 15, 12, 13);
    Store(__builtin_shufflevector(pairs, pairs, 0, 4, 8, 12) +
              __builtin_shufflevector(pairs, pairs, 1, 5, 9, 13),
          sums);
  } else if constexpr (kLanes<scalar_t> == 8) {
    const auto ab = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) +
                    __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    const auto cd = __builtin_shufflevector(c, d, 0, 1, 2, 3, 8, 9, 10, 11) +
                    __builtin_shufflevector(c, d, 4, 5, 6, 7, 12, 13, 14, 15);
    const auto abcd =
        __builtin_shufflevector(ab, cd, 0, 1, 4, 5, 8, 9, 12, 13) +
        __builtin_shufflevector(ab, cd, 2, 3, 6, 7, 10, 11, 14, 15);
    Store(__builtin_shufflevector(abcd, abcd, 0, 2, 4, 6) +
              __builtin_shufflevector(abcd, abcd, 1, 3, 5, 7),
          sums);
  } else if constexpr (kLanes<scalar_t> == 4) {
    const auto ab = __builtin_shufflevector(a, b, 0, 1, 4, 5) +
                    __builtin_shufflevector(a, b, 2, 3, 6, 7);
    const auto cd = __builtin_shufflevector(c, d, 0, 1, 4, 5) +
                    __builtin_shufflevector(c, d, 2, 3, 6, 7);
    Store(__builtin_shufflevector(ab, cd, 0, 2, 4, 6) +
              __builtin_shufflevector(ab, cd, 1, 3, 5, 7),
          sums);
  } else {
    static_assert(kLanes<scalar_t> == 2);
    for (int i = 0; i < 4; ++i) sums[i] = vectors[i][0] + vectors[i][1];
  }
}

}  // namespace
}  // namespace mask2former::ops::M2F_VECTOR_NAMESPACE

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_VECTOR_BODY_H_
