#ifndef MASK2FORMER_COMMON_AUTOCAST_H_
#define MASK2FORMER_COMMON_AUTOCAST_H_

#include <c10/core/DeviceType.h>
#include <c10/core/ScalarType.h>

namespace mask2former {

// What products and convolutions are computed in.
enum class Precision { kFloat32, kFloat16, kBFloat16 };

// The type of numbers of `precision`.
c10::ScalarType ScalarTypeOf(Precision precision);

// While it lives, LibTorch's autocast works in `precision` on a kind of device,
// in this thread; with kFloat32 it changes nothing. Afterwards all is as
// before, and the copies of parameters that autocast keeps are gone.
class AutocastGuard {
 public:
  AutocastGuard(c10::DeviceType device, Precision precision);
  ~AutocastGuard();

  AutocastGuard(const AutocastGuard&) = delete;
  AutocastGuard& operator=(const AutocastGuard&) = delete;

 private:
  const c10::DeviceType device_;
  const bool is_on_;
  bool was_enabled_ = false;
  c10::ScalarType former_type_ = c10::kFloat;
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_AUTOCAST_H_
