#ifndef MASK2FORMER_TOOLS_BENCHMARK_TF32_H_
#define MASK2FORMER_TOOLS_BENCHMARK_TF32_H_

#include <c10/core/Device.h>

#include <string>

#include "absl/status/statusor.h"
#include "mask2former/common/autocast.h"

namespace mask2former {

// Which products of floats a GPU may compute with factors rounded to TF32, 10
// of 23 bits of mantissa, on its tensor cores, several times faster.
enum class Tf32 { kNone, kConvolutions, kAll };

// "none", "convolutions" or "all", else InvalidArgument.
absl::StatusOr<Tf32> ParseTf32(const std::string& text);

// For all that LibTorch computes in this process from now on. Unless told
// otherwise, it does kConvolutions.
void AllowTf32(Tf32 which);

// What is allowed to the fastest products of a model that runs in `precision`
// on `device`: "float32", "TF32", "float16" or "bfloat16".
std::string FastestArithmetic(c10::Device device, Precision precision);

// While it lives, matrix products of floats on a GPU are TF32 or are not, as
// FastestArithmetic() says; then as before.
class FastestProductsGuard {
 public:
  FastestProductsGuard(c10::Device device, Precision precision);
  ~FastestProductsGuard();

  FastestProductsGuard(const FastestProductsGuard&) = delete;
  FastestProductsGuard& operator=(const FastestProductsGuard&) = delete;

 private:
  const bool is_on_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_BENCHMARK_TF32_H_
