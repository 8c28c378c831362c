#include "mask2former/train/logging/memory_usage.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <sys/resource.h>

namespace mask2former {
namespace {

int64_t PeakResidentSet() {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace

int64_t PeakMemory(c10::Device device) {
  if (device.is_cpu()) return PeakResidentSet();
  // By its interface, so that a build without CUDA needs no CUDA header.
  auto* allocator =
      dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (allocator == nullptr || !allocator->initialized()) return 0;
  const c10::DeviceIndex index = device.has_index() ? device.index() : 0;
  constexpr auto kAll =
      static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return allocator->getDeviceStats(index).allocated_bytes[kAll].peak;
}

}  // namespace mask2former
