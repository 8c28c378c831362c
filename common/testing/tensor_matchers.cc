#include "mask2former/common/testing/tensor_matchers.h"

#include <ATen/ATen.h>

#include <sstream>

namespace mask2former::testing_internal {

std::string ExplainDifference(const at::Tensor& actual,
                              const at::Tensor& expected, double atol,
                              double rtol) {
  std::ostringstream text;
  if (!actual.defined() || !expected.defined()) {
    if (actual.defined() != expected.defined()) text << "one is undefined";
    return text.str();
  }
  if (actual.sizes() != expected.sizes()) {
    text << "sizes " << actual.sizes() << " instead of " << expected.sizes();
    return text.str();
  }
  if (actual.numel() == 0) return "";
  const at::Tensor a = actual.detach().cpu().to(at::kDouble).reshape(-1);
  const at::Tensor e = expected.detach().cpu().to(at::kDouble).reshape(-1);
  const at::Tensor same = (a == e).logical_or(a.isnan().logical_and(e.isnan()));
  const at::Tensor bound = atol + rtol * e.abs();
  const at::Tensor difference = (a - e).abs();
  const at::Tensor bad =
      same.logical_or(difference <= bound).logical_not().nonzero();
  if (bad.numel() == 0) return "";
  const at::Tensor excess = at::where(same, at::zeros_like(a), difference)
                                .nan_to_num(1e300, 1e300, 1e300);
  const int64_t worst = excess.argmax().item<int64_t>();
  text << bad.size(0) << " of " << a.numel() << " elements differ; first at "
       << bad[0].item<int64_t>() << ", worst at " << worst << ": "
       << a[worst].item<double>() << " instead of " << e[worst].item<double>()
       << " (difference " << difference[worst].item<double>() << ")";
  return text.str();
}

}  // namespace mask2former::testing_internal
