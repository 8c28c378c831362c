#ifndef MASK2FORMER_COMMON_TESTING_SPARSE_ARRAY_H_
#define MASK2FORMER_COMMON_TESTING_SPARSE_ARRAY_H_

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstddef>

namespace mask2former {

// Zeros that take no memory until they are touched, for tests of indices
// beyond 2^31. On the host: of kernels, only emulated ones can read them.
template <typename T>
class SparseArray {
 public:
  explicit SparseArray(size_t count)
      : bytes_(count * sizeof(T)),
        memory_(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    EXPECT_NE(memory_, MAP_FAILED);
  }
  ~SparseArray() { munmap(memory_, bytes_); }
  SparseArray(const SparseArray&) = delete;
  SparseArray& operator=(const SparseArray&) = delete;

  T* data() { return static_cast<T*>(memory_); }

 private:
  const size_t bytes_;
  void* const memory_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_SPARSE_ARRAY_H_
