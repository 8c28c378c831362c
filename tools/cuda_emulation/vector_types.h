#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_VECTOR_TYPES_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_VECTOR_TYPES_H_

// CUDA's short vectors, with its sizes and alignments, so that a load of four
// floats from an address that is not a multiple of 16 is found by
// UndefinedBehaviorSanitizer.

// NOLINTBEGIN(google-runtime-int): CUDA's own names.
#define M2F_VECTOR_TYPES(Scalar, name, align2, align4)                    \
  struct name##1 {                                                        \
    Scalar x;                                                             \
  };                                                                      \
  struct alignas(align2) name##2 {                                        \
    Scalar x, y;                                                          \
  };                                                                      \
  struct name##3 {                                                        \
    Scalar x, y, z;                                                       \
  };                                                                      \
  struct alignas(align4) name##4 {                                        \
    Scalar x, y, z, w;                                                    \
  };                                                                      \
  inline name##1 make_##name##1(Scalar x) { return {x}; }                 \
  inline name##2 make_##name##2(Scalar x, Scalar y) { return {x, y}; }    \
  inline name##3 make_##name##3(Scalar x, Scalar y, Scalar z) {           \
    return {x, y, z};                                                     \
  }                                                                       \
  inline name##4 make_##name##4(Scalar x, Scalar y, Scalar z, Scalar w) { \
    return {x, y, z, w};                                                  \
  }

M2F_VECTOR_TYPES(signed char, char, 2, 4)
M2F_VECTOR_TYPES(unsigned char, uchar, 2, 4)
M2F_VECTOR_TYPES(short, short, 4, 8)
M2F_VECTOR_TYPES(unsigned short, ushort, 4, 8)
M2F_VECTOR_TYPES(int, int, 8, 16)
M2F_VECTOR_TYPES(unsigned int, uint, 8, 16)
M2F_VECTOR_TYPES(long long, longlong, 16, 16)
M2F_VECTOR_TYPES(unsigned long long, ulonglong, 16, 16)
M2F_VECTOR_TYPES(float, float, 8, 16)
M2F_VECTOR_TYPES(double, double, 16, 16)

#undef M2F_VECTOR_TYPES
// NOLINTEND

struct dim3 {
  constexpr dim3(unsigned x_in = 1, unsigned y_in = 1, unsigned z_in = 1)
      : x(x_in), y(y_in), z(z_in) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}

  unsigned x, y, z;
};

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_VECTOR_TYPES_H_
