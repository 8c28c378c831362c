#ifndef MASK2FORMER_DATA_TESTING_GOLDEN_CHECKSUMS_H_
#define MASK2FORMER_DATA_TESTING_GOLDEN_CHECKSUMS_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>

#include "absl/strings/string_view.h"

namespace mask2former {

// What data/testdata/goldens*.txt say of `key`. Throws std::runtime_error if it
// says nothing. Tests that call this need //data:goldens as data.
uint32_t GoldenChecksum(const std::string& key);

// CRC-32 of a picture's pixels, row by row.
uint32_t Checksum(const cv::Mat& image);

// CRC-32 of `count` values in memory.
template <typename T>
uint32_t Checksum(const T* values, size_t count);

uint32_t ChecksumBytes(absl::string_view bytes);

template <typename T>
uint32_t Checksum(const T* values, size_t count) {
  return ChecksumBytes(absl::string_view(reinterpret_cast<const char*>(values),
                                         count * sizeof(T)));
}

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TESTING_GOLDEN_CHECKSUMS_H_
