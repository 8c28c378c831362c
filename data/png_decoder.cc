#include "mask2former/data/png_decoder.h"

#include <libdeflate.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/png_chunks.h"

namespace mask2former {
namespace {

// Above this, sizes are taken for damage: 4 GiB of pixels.
constexpr int64_t kLargest = int64_t{1} << 32;

uint64_t Word(const uint8_t* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, 8);
  return word;
}

// Row filters: `row` holds residuals and becomes bytes of pixels; `above` is
// the row above, or zeros; both have kPixel zeros before them.

// Adds eight bytes at a time.
void Up(uint8_t* row, const uint8_t* above, int size) {
  constexpr uint64_t kTop = 0x8080808080808080;
  int i = 0;
  for (; i + 8 <= size; i += 8) {
    const uint64_t a = Word(row + i), b = Word(above + i);
    const uint64_t sum = ((a & ~kTop) + (b & ~kTop)) ^ ((a ^ b) & kTop);
    std::memcpy(row + i, &sum, 8);
  }
  for (; i < size; ++i) row[i] = static_cast<uint8_t>(row[i] + above[i]);
}

template <int kPixel>
void Left(uint8_t* row, int size) {
  uint8_t left[kPixel] = {};
  for (int i = 0; i < size; i += kPixel) {
    for (int c = 0; c < kPixel; ++c) {
      left[c] = static_cast<uint8_t>(left[c] + row[i + c]);
      row[i + c] = left[c];
    }
  }
}

template <int kPixel>
void Average(uint8_t* row, const uint8_t* above, int size) {
  for (int i = 0; i < size; ++i) {
    row[i] = static_cast<uint8_t>(row[i] + ((row[i - kPixel] + above[i]) >> 1));
  }
}

uint8_t Predict(int left, int above, int corner) {
  const int to_left = std::abs(above - corner);
  const int to_above = std::abs(left - corner);
  const int to_corner = std::abs(left + above - 2 * corner);
  if (to_left <= to_above && to_left <= to_corner) {
    return static_cast<uint8_t>(left);
  }
  return static_cast<uint8_t>(to_above <= to_corner ? above : corner);
}

// Where eight pixels have no residual and continue what stands left of them,
// they are like the row above, or like the pixel to the left.
template <int kPixel>
void Paeth(uint8_t* row, const uint8_t* above, int size) {
  constexpr int kBlock = 8 * kPixel;
  int i = 0;
  while (i < size) {
    if (i + kBlock <= size) {
      uint64_t residual = 0;
      for (int w = 0; w < kPixel; ++w) residual |= Word(row + i + 8 * w);
      if (residual == 0 &&
          std::memcmp(row + i - kPixel, above + i - kPixel, kPixel) == 0) {
        std::memcpy(row + i, above + i, kBlock);
        i += kBlock;
        continue;
      }
      if (residual == 0 &&
          std::memcmp(above + i - kPixel, above + i, kBlock) == 0) {
        for (int k = 0; k < kBlock; ++k) row[i + k] = row[i + k - kPixel];
        i += kBlock;
        continue;
      }
    }
    const int end = i + kBlock <= size ? i + kBlock : size;
    for (; i < end; ++i) {
      row[i] = static_cast<uint8_t>(
          row[i] + Predict(row[i - kPixel], above[i], above[i - kPixel]));
    }
  }
}

template <int kPixel>
bool Unfilter(uint8_t filter, uint8_t* row, const uint8_t* above, int size) {
  switch (filter) {
    case 0:
      return true;
    case 1:
      Left<kPixel>(row, size);
      return true;
    case 2:
      Up(row, above, size);
      return true;
    case 3:
      Average<kPixel>(row, above, size);
      return true;
    case 4:
      Paeth<kPixel>(row, above, size);
      return true;
    default:
      return false;
  }
}

// A row of the picture from its bytes: 16 bits are stored high byte first.
template <int kPixel>
void Store(const uint8_t* row, int size, uint8_t* pixels) {
  if (kPixel != 2) {
    std::memcpy(pixels, row, size);
    return;
  }
  int i = 0;
  for (; i + 8 <= size; i += 8) {
    const uint64_t word = Word(row + i);
    constexpr uint64_t kLow = 0x00FF00FF00FF00FF;
    const uint64_t swapped = (word & kLow) << 8 | (word >> 8 & kLow);
    std::memcpy(pixels + i, &swapped, 8);
  }
  for (; i < size; i += 2) {
    pixels[i] = row[i + 1];
    pixels[i + 1] = row[i];
  }
}

// `filtered` are rows of a filter byte and residuals.
template <int kPixel>
bool UnfilterRows(uint8_t* filtered, cv::Mat& image) {
  const int size = image.cols * kPixel;
  // Rows with zeros before them: the first pixel's neighbours.
  const int stride = size + 8;
  const auto rows = std::make_unique<uint8_t[]>(2 * stride);
  uint8_t* row = rows.get() + 8;
  uint8_t* above = row + stride;
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t filter = *filtered++;
    std::memcpy(row, filtered, size);
    filtered += size;
    if (!Unfilter<kPixel>(filter, row, above, size)) return false;
    Store<kPixel>(row, size, image.ptr<uint8_t>(y));
    std::swap(row, above);
  }
  return true;
}

// The picture data of all chunks; Unimplemented with a transparent colour.
absl::StatusOr<std::string> PictureData(absl::string_view png) {
  std::string data;
  for (size_t at = kPngHeaderBytes; at < png.size();) {
    const size_t size = BigEndian32(&png[at]);
    const absl::string_view type = png.substr(at + 4, 4);
    if (type == "tRNS") return absl::UnimplementedError("transparent colour");
    if (type == "IEND") break;
    if (type == "IDAT") data.append(png.data() + at + 8, size);
    at += size + 12;
  }
  return data;
}

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* d) const {
    libdeflate_free_decompressor(d);
  }
};

// Decompresses exactly `size` bytes.
absl::Status Inflate(absl::string_view stream, uint8_t* output, size_t size) {
  const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(
      libdeflate_alloc_decompressor());
  if (decompressor == nullptr) {
    return absl::ResourceExhaustedError("no memory for its picture data");
  }
  switch (libdeflate_zlib_decompress(decompressor.get(), stream.data(),
                                     stream.size(), output, size,
                                     /*actual_out_nbytes_ret=*/nullptr)) {
    case LIBDEFLATE_SUCCESS:
      return absl::OkStatus();
    case LIBDEFLATE_INSUFFICIENT_SPACE:
      return absl::UnimplementedError("more data than rows");
    default:
      return absl::DataLossError("its picture data are damaged");
  }
}

}  // namespace

absl::StatusOr<cv::Mat> DecodeLabelPng(absl::string_view png) {
  const int64_t width = BigEndian32(&png[16]);
  const int64_t height = BigEndian32(&png[20]);
  const int bit_depth = png[24];
  const int color_type = png[25];
  const bool is_interlaced = png[28] != 0;
  const bool is_rgb = color_type == 2 && bit_depth == 8;
  const bool is_gray = color_type == 0 && (bit_depth == 8 || bit_depth == 16);
  if ((!is_rgb && !is_gray) || is_interlaced) {
    return absl::UnimplementedError("another kind of PNG");
  }
  const int pixel = is_rgb ? 3 : bit_depth / 8;
  if (width == 0 || height == 0 || width > 1 << 28 || height > 1 << 28 ||
      width * height * pixel > kLargest) {
    return absl::UnimplementedError("another size");
  }
  const absl::StatusOr<std::string> data = PictureData(png);
  if (!data.ok()) return data.status();
  const size_t size = static_cast<size_t>((width * pixel + 1) * height);
  // A byte of a stream becomes 1032 at most: no memory for what cannot be.
  if (size / 1032 > data->size()) {
    return absl::DataLossError("its picture data end early");
  }
  // Not make_unique, which would clear it.
  const std::unique_ptr<uint8_t[]> filtered(new uint8_t[size]);
  M2F_RETURN_IF_ERROR(Inflate(*data, filtered.get(), size));
  cv::Mat image(static_cast<int>(height), static_cast<int>(width),
                pixel == 1   ? CV_8UC1
                : pixel == 2 ? CV_16UC1
                             : CV_8UC3);
  const bool good = pixel == 1   ? UnfilterRows<1>(filtered.get(), image)
                    : pixel == 2 ? UnfilterRows<2>(filtered.get(), image)
                                 : UnfilterRows<3>(filtered.get(), image);
  if (!good) return absl::DataLossError("its picture data are damaged");
  return image;
}

}  // namespace mask2former
