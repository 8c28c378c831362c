#ifndef MASK2FORMER_COMMON_RANDOM_POINTS_H_
#define MASK2FORMER_COMMON_RANDOM_POINTS_H_

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mask2former {

// Where masks are compared: the matcher and the criterion look at random points
// instead of every pixel, and take them from here, so that a test or a resumed
// run can decide which.
class PointSource {
 public:
  virtual ~PointSource() = default;

  // `n` sets of `t` points.
  //
  //   returns  [n, t, 2]  float, (x, y) in [0, 1); on any device
  virtual at::Tensor Draw(int64_t n, int64_t t) = 0;
};

// Uniform points. They lie on the generator's device and advance its state,
// which is all the state there is.
class GeneratorPointSource final : public PointSource {
 public:
  explicit GeneratorPointSource(at::Generator generator);

  at::Tensor Draw(int64_t n, int64_t t) override;

 private:
  at::Generator generator_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_RANDOM_POINTS_H_
