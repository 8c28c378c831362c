#ifndef MASK2FORMER_COMMON_TESTING_DEVICE_BUFFER_H_
#define MASK2FORMER_COMMON_TESTING_DEVICE_BUFFER_H_

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <type_traits>
#include <vector>

// First line of a test of kernels: skips, and says why, where they were built
// for a GPU and there is none. Emulated kernels run anywhere.
#define M2F_REQUIRES_DEVICE()                                          \
  do {                                                                 \
    int m2f_device_count = 0;                                          \
    if (cudaGetDeviceCount(&m2f_device_count) != cudaSuccess ||        \
        m2f_device_count == 0) {                                       \
      GTEST_SKIP() << "needs a GPU, or a build without --config=cuda"; \
    }                                                                  \
  } while (false)

// EXPECT that a launch, or another call of CUDA's, worked.
#define M2F_EXPECT_CUDA_SUCCESS(...)                  \
  do {                                                \
    const cudaError_t m2f_cuda_error = (__VA_ARGS__); \
    EXPECT_EQ(m2f_cuda_error, cudaSuccess)            \
        << cudaGetErrorString(m2f_cuda_error);        \
  } while (false)

namespace mask2former {

// An array that kernels can reach: on the heap if they are emulated, where
// AddressSanitizer guards both ends, else in the GPU's memory.
//
//   DeviceBuffer<float> input({1, 2, 3}), output(3);
//   M2F_EXPECT_CUDA_SUCCESS(LaunchDouble(input.data(), output.data(), 3));
//   EXPECT_THAT(output.ToHost(), ElementsAre(2, 4, 6));
//
// Elements that nobody wrote are NaN, for integers -1 or the largest.
template <typename T>
class DeviceBuffer {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  explicit DeviceBuffer(size_t size) : size_(size) {
    M2F_EXPECT_CUDA_SUCCESS(
        cudaMalloc(reinterpret_cast<void**>(&data_), Bytes()));
    M2F_EXPECT_CUDA_SUCCESS(cudaMemset(data_, 0xff, Bytes()));
  }
  explicit DeviceBuffer(const std::vector<T>& values)
      : DeviceBuffer(values.size()) {
    M2F_EXPECT_CUDA_SUCCESS(
        cudaMemcpy(data_, values.data(), Bytes(), cudaMemcpyHostToDevice));
  }
  ~DeviceBuffer() { cudaFree(data_); }
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }

  // Waits for the kernels before it.
  std::vector<T> ToHost() const {
    std::vector<T> values(size_);
    M2F_EXPECT_CUDA_SUCCESS(cudaDeviceSynchronize());
    M2F_EXPECT_CUDA_SUCCESS(
        cudaMemcpy(values.data(), data_, Bytes(), cudaMemcpyDeviceToHost));
    return values;
  }

 private:
  size_t Bytes() const { return size_ * sizeof(T); }

  size_t size_;
  T* data_ = nullptr;
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_DEVICE_BUFFER_H_
