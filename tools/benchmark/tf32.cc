#include "mask2former/tools/benchmark/tf32.h"

#include <ATen/Context.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace mask2former {

absl::StatusOr<Tf32> ParseTf32(const std::string& text) {
  if (text == "none") return Tf32::kNone;
  if (text == "convolutions") return Tf32::kConvolutions;
  if (text == "all") return Tf32::kAll;
  return absl::InvalidArgumentError(absl::StrCat(
      "--tf32 must be none, convolutions or all, not '", text, "'"));
}

void AllowTf32(Tf32 which) {
  at::globalContext().setAllowTF32CuDNN(which != Tf32::kNone);
  at::globalContext().setAllowTF32CuBLAS(which == Tf32::kAll);
}

std::string FastestArithmetic(c10::Device device, Precision precision) {
  switch (precision) {
    case Precision::kFloat16:
      return "float16";
    case Precision::kBFloat16:
      return "bfloat16";
    case Precision::kFloat32:
      break;
  }
  const at::Context& context = at::globalContext();
  return device.is_cuda() &&
                 (context.allowTF32CuDNN() || context.allowTF32CuBLAS())
             ? "TF32"
             : "float32";
}

FastestProductsGuard::FastestProductsGuard(c10::Device device,
                                           Precision precision)
    : is_on_(FastestArithmetic(device, precision) == "TF32" &&
             !at::globalContext().allowTF32CuBLAS()) {
  if (is_on_) at::globalContext().setAllowTF32CuBLAS(true);
}

FastestProductsGuard::~FastestProductsGuard() {
  if (is_on_) at::globalContext().setAllowTF32CuBLAS(false);
}

}  // namespace mask2former
