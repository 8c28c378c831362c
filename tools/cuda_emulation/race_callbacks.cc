// What gcc calls from code compiled with -fsanitize=thread, in place of
// ThreadSanitizer. Linked only where such code is.

#include <cstddef>
#include <cstdint>

#include "mask2former/tools/cuda_emulation/block.h"

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_read(void**) {}
void __tsan_vptr_update(void**, void*) {}

// Of the guard of a static variable in host code.
uint8_t __tsan_atomic8_load(const volatile uint8_t* address, int) {
  return __atomic_load_n(address, __ATOMIC_ACQUIRE);
}

#define M2F_ACCESS(suffix, bytes)                           \
  void __tsan_read##suffix(void* address) {                 \
    mask2former::UseMemory(address, bytes, /*write=*/false, \
                           __builtin_return_address(0));    \
  }                                                         \
  void __tsan_write##suffix(void* address) {                \
    mask2former::UseMemory(address, bytes, /*write=*/true,  \
                           __builtin_return_address(0));    \
  }                                                         \
  void __tsan_unaligned_read##suffix(void* address) {       \
    mask2former::UseMemory(address, bytes, /*write=*/false, \
                           __builtin_return_address(0));    \
  }                                                         \
  void __tsan_unaligned_write##suffix(void* address) {      \
    mask2former::UseMemory(address, bytes, /*write=*/true,  \
                           __builtin_return_address(0));    \
  }                                                         \
  void __tsan_volatile_read##suffix(void* address) {        \
    mask2former::UseMemory(address, bytes, /*write=*/false, \
                           __builtin_return_address(0));    \
  }                                                         \
  void __tsan_volatile_write##suffix(void* address) {       \
    mask2former::UseMemory(address, bytes, /*write=*/true,  \
                           __builtin_return_address(0));    \
  }
M2F_ACCESS(1, 1)
M2F_ACCESS(2, 2)
M2F_ACCESS(4, 4)
M2F_ACCESS(8, 8)
M2F_ACCESS(16, 16)
#undef M2F_ACCESS

void __tsan_read_range(void* address, size_t bytes) {
  mask2former::UseMemory(address, bytes, /*write=*/false,
                         __builtin_return_address(0));
}

void __tsan_write_range(void* address, size_t bytes) {
  mask2former::UseMemory(address, bytes, /*write=*/true,
                         __builtin_return_address(0));
}

}  // extern "C"
