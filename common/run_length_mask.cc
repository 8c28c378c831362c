#include "mask2former/common/run_length_mask.h"

#include <cstring>
#include <limits>

#include "mask2former/common/logging.h"

namespace mask2former {
namespace {

// Where the first pixel is that is not 0, or `end`.
const uint8_t* FirstInside(const uint8_t* at, const uint8_t* end) {
  for (; end - at >= 8; at += 8) {
    uint64_t eight;
    std::memcpy(&eight, at, 8);
    if (eight != 0) break;
  }
  while (at < end && *at == 0) ++at;
  return at;
}

const uint8_t* FirstOutside(const uint8_t* at, const uint8_t* end) {
  const void* const found = std::memchr(at, 0, end - at);
  return found == nullptr ? end : static_cast<const uint8_t*>(found);
}

}  // namespace

void RunLengthMask::AppendRows(const uint8_t* pixels, int64_t count) {
  CHECK_GE(count, 0);
  height_ += count;
  CHECK_LE(height_ * width_, std::numeric_limits<uint32_t>::max());
  const uint8_t* const end = pixels + count * width_;
  const uint8_t* at = pixels;
  if (at == end) return;
  if (runs_.empty()) runs_.push_back(0);
  bool inside = runs_.size() % 2 == 0;  // In the run that is last.
  while (true) {
    const uint8_t* const next =
        inside ? FirstOutside(at, end) : FirstInside(at, end);
    runs_.back() += static_cast<uint32_t>(next - at);
    if (next == end) return;
    runs_.push_back(0);
    inside = !inside;
    at = next;
  }
}

void RunLengthMask::Decode(uint8_t* pixels) const {
  for (size_t i = 0; i < runs_.size(); ++i) {
    std::memset(pixels, i % 2 == 0 ? 0 : 1, runs_[i]);
    pixels += runs_[i];
  }
}

int64_t RunLengthMask::area() const {
  int64_t area = 0;
  for (size_t i = 1; i < runs_.size(); i += 2) area += runs_[i];
  return area;
}

}  // namespace mask2former
