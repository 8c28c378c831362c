#ifndef MASK2FORMER_MODEL_ROW_RESIZER_H_
#define MASK2FORMER_MODEL_ROW_RESIZER_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "mask2former/common/image_size.h"
#include "mask2former/model/bilinear_taps.h"

namespace mask2former {

// ResizeToOutput() some rows at a time, for results that would be too large as
// a whole. Equal to it but for rounding.
class RowResizer {
 public:
  // What is made of maps at the image's size before they are brought to the
  // output's: [N, m, W] -> [any number, m, W].
  using Change = std::function<at::Tensor(at::Tensor)>;

  //   map     the size of the maps
  //   padded, image, output  as in ResizeToOutput()
  //   device  of the maps
  RowResizer(const ImageSize& map, const ImageSize& padded,
             const ImageSize& image, const ImageSize& output,
             const at::Device& device);

  // Computes the rows begin .. begin + count - 1 of the output.
  //
  //   maps     [N, map.height, map.width] float; may be a view
  //   change   may be empty
  //   returns  [N, count, output.width], or as many maps as `change` made
  at::Tensor Rows(const at::Tensor& maps, int64_t begin, int64_t count,
                  const Change& change = {}) const;

  // So many rows, at least one, that what Rows() returns and what it makes on
  // the way are up to `bytes` each.
  int64_t RowsWithin(int64_t bytes, int64_t maps) const;

 private:
  // Interpolation from one size to another along an axis, on the device.
  struct Taps {
    at::Tensor first, second;  // [n] int64
    at::Tensor weight;         // [n, 1] float
  };

  static Taps MakeTaps(const std::vector<BilinearTap>& taps,
                       const at::Device& device);
  // [N, m, W] -> [N, count, W]: rows begin .. of the result of `taps`, `maps`
  // beginning with row `origin`.
  static at::Tensor Interpolate(const at::Tensor& maps, const Taps& taps,
                                int64_t begin, int64_t count, int64_t origin);
  at::Tensor ImageRows(const at::Tensor& maps, int64_t begin,
                       int64_t count) const;

  const ImageSize padded_;
  const ImageSize image_;
  const ImageSize output_;
  const Taps to_padded_;                        // From rows of the map.
  const std::vector<BilinearTap> output_taps_;  // From rows of the image.
  const Taps to_output_;                        // The same.
};

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_ROW_RESIZER_H_
