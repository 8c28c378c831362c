#include "mask2former/common/autocast.h"

#include <ATen/autocast_mode.h>

namespace mask2former {

c10::ScalarType ScalarTypeOf(Precision precision) {
  switch (precision) {
    case Precision::kFloat16:
      return at::kHalf;
    case Precision::kBFloat16:
      return at::kBFloat16;
    case Precision::kFloat32:
      break;
  }
  return at::kFloat;
}

AutocastGuard::AutocastGuard(c10::DeviceType device, Precision precision)
    : device_(device), is_on_(precision != Precision::kFloat32) {
  if (!is_on_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  former_type_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_dtype(device_, ScalarTypeOf(precision));
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::increment_nesting();
}

AutocastGuard::~AutocastGuard() {
  if (!is_on_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  at::autocast::set_autocast_dtype(device_, former_type_);
}

}  // namespace mask2former
