#include "mask2former/tools/cuda_emulation/shared_memory.h"

#include <cstdlib>
#include <cstring>
#include <vector>

#include "mask2former/tools/cuda_emulation/program_image.h"

namespace mask2former {
namespace {

void* dynamic_memory = nullptr;

// Not memset(): the guards between the variables are filled, too.
__attribute__((no_sanitize_address)) void Fill(volatile unsigned char* begin,
                                               size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) begin[i] = 0xff;
}

}  // namespace

SharedMemory::SharedMemory(size_t dynamic_bytes)
    : dynamic_bytes_(dynamic_bytes) {
  if (dynamic_bytes > 0 &&
      posix_memalign(&dynamic_memory, 16, dynamic_bytes) != 0) {
    std::abort();
  }
}

SharedMemory::~SharedMemory() {
  std::free(dynamic_memory);
  dynamic_memory = nullptr;
}

void SharedMemory::Poison() {
  static const auto* const sections = new std::vector<ProgramImage::Section>(
      ProgramImage::Get().FindSections(".noinit"));
  for (const auto& section : *sections) Fill(section.begin, section.bytes);
  if (dynamic_bytes_ > 0) std::memset(dynamic_memory, 0xff, dynamic_bytes_);
}

std::vector<RaceDetector::Region> SharedMemory::Regions() const {
  std::vector<RaceDetector::Region> regions;
  for (const auto& section : ProgramImage::Get().FindSections(".noinit")) {
    regions.push_back(
        {reinterpret_cast<uintptr_t>(section.begin), section.bytes});
  }
  regions.push_back(
      {reinterpret_cast<uintptr_t>(dynamic_memory), dynamic_bytes_});
  return regions;
}

void* DynamicSharedMemoryOfBlock() { return dynamic_memory; }

}  // namespace mask2former
