#include "mask2former/common/testing/reference_points.h"

#include "absl/strings/str_cat.h"
#include "mask2former/common/testing/reference_values.h"

namespace mask2former {

at::Tensor ReferencePointSource::Draw(int64_t n, int64_t t) {
  return ReferenceUniform(absl::StrCat("rand", num_draws_++), n * t * 2)
      .to(at::kFloat)
      .view({n, t, 2});
}

}  // namespace mask2former
