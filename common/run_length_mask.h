#ifndef MASK2FORMER_COMMON_RUN_LENGTH_MASK_H_
#define MASK2FORMER_COMMON_RUN_LENGTH_MASK_H_

#include <cstdint>
#include <vector>

namespace mask2former {

// A mask as the lengths of its runs of equal pixels, row by row: small enough
// to keep a hundred masks of a large picture. Four bytes a run.
//
//   RunLengthMask mask(width);
//   mask.AppendRows(upper, 100);
//   mask.AppendRows(lower, 100);
//   mask.Decode(pixels);  // 200 * width bytes.
class RunLengthMask {
 public:
  RunLengthMask() = default;
  explicit RunLengthMask(int64_t width) : width_(width) {}

  // Adds rows below those that there are.
  //
  //   pixels  [count, width]  not 0 inside
  //
  // At most 2^32 - 1 pixels in all (checked).
  void AppendRows(const uint8_t* pixels, int64_t count);

  // Writes [height, width] bytes: 1 inside, 0 outside.
  void Decode(uint8_t* pixels) const;

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t area() const;  // Pixels inside.

  // Outside, inside, outside, ...; the first may be 0.
  const std::vector<uint32_t>& runs() const { return runs_; }

 private:
  int64_t height_ = 0;
  int64_t width_ = 0;
  std::vector<uint32_t> runs_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_RUN_LENGTH_MASK_H_
