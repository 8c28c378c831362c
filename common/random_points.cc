#include "mask2former/common/random_points.h"

#include <ATen/ops/rand.h>

#include <utility>

namespace mask2former {

GeneratorPointSource::GeneratorPointSource(at::Generator generator)
    : generator_(std::move(generator)) {}

at::Tensor GeneratorPointSource::Draw(int64_t n, int64_t t) {
  return at::rand({n, t, 2}, generator_,
                  at::TensorOptions(at::kFloat).device(generator_.device()));
}

}  // namespace mask2former
