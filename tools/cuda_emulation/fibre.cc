#include "mask2former/tools/cuda_emulation/fibre.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

// Other processors use ucontext; define it to try that here.
#if !defined(__x86_64__) && !defined(M2F_FIBRE_UCONTEXT)
#define M2F_FIBRE_UCONTEXT
#endif

#if defined(M2F_FIBRE_UCONTEXT)
#include <ucontext.h>
#else
// Saves the registers that a call preserves, stores the stack pointer to *from
// and takes up what was saved at `to`.
extern "C" void Mask2FormerSwitchStack(void** from, void* to);
asm(R"(
.text
.hidden Mask2FormerSwitchStack
.globl Mask2FormerSwitchStack
.type Mask2FormerSwitchStack, @function
Mask2FormerSwitchStack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size Mask2FormerSwitchStack, .-Mask2FormerSwitchStack
)");
#endif

namespace mask2former {
namespace {

// Sanitizers pad every frame; only pages that are touched take memory.
constexpr size_t kStackBytes = size_t{256} << 10;

Fibre* running = nullptr;

}  // namespace

// The switch itself, and what AddressSanitizer wants to know about it.
struct FibreSwitch {
#if defined(__SANITIZE_ADDRESS__)
  static inline const void* caller_stack = nullptr;
  static inline size_t caller_bytes = 0;
#endif

  static size_t Page() {
    static const size_t page = sysconf(_SC_PAGESIZE);
    return page;
  }

  // First code on a fibre's stack.
  static void Entry() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &caller_stack, &caller_bytes);
#endif
    Fibre* const fibre = running;
    fibre->function_(fibre->argument_);
    fibre->finished_ = true;
    Leave(fibre);
    std::abort();  // Nobody resumes a finished fibre.
  }

  static void Swap(Fibre* fibre) {
#if defined(M2F_FIBRE_UCONTEXT)
    // context_ points to two contexts: the fibre's and its caller's.
    auto* const contexts = static_cast<ucontext_t*>(fibre->context_);
    const bool enter = running != nullptr;
    swapcontext(&contexts[enter ? 1 : 0], &contexts[enter ? 0 : 1]);
#else
    void* const target = fibre->context_;
    Mask2FormerSwitchStack(&fibre->context_, target);
#endif
  }

  static void Enter(Fibre* fibre) {
    running = fibre;
#if defined(__SANITIZE_ADDRESS__)
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, fibre->stack_ + Page(),
                                   kStackBytes);
#endif
    Swap(fibre);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
  }

  static void Leave(Fibre* fibre) {
    running = nullptr;
#if defined(__SANITIZE_ADDRESS__)
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(fibre->finished_ ? nullptr : &fake_stack,
                                   caller_stack, caller_bytes);
#endif
    Swap(fibre);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake_stack, &caller_stack, &caller_bytes);
#endif
  }
};

Fibre::Fibre() : context_(nullptr) {
  void* const memory =
      mmap(nullptr, FibreSwitch::Page() + kStackBytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED ||
      mprotect(memory, FibreSwitch::Page(), PROT_NONE) != 0) {
    std::perror("memory for a fibre's stack");
    std::abort();
  }
  stack_ = static_cast<char*>(memory);
#if defined(M2F_FIBRE_UCONTEXT)
  context_ = new ucontext_t[2];
#endif
}

Fibre::~Fibre() {
#if defined(M2F_FIBRE_UCONTEXT)
  delete[] static_cast<ucontext_t*>(context_);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(stack_ + FibreSwitch::Page(), kStackBytes);
#endif
  munmap(stack_, FibreSwitch::Page() + kStackBytes);
}

void Fibre::Start(void (*function)(void*), void* argument) {
  char* const bottom = stack_ + FibreSwitch::Page();
#if defined(__SANITIZE_ADDRESS__)
  // Marks of frames that nobody left: Entry()'s, and all of a run that was
  // dropped.
  const size_t marked = finished_ ? size_t{4096} : kStackBytes;
  __asan_unpoison_memory_region(bottom + kStackBytes - marked, marked);
#endif
  function_ = function;
  argument_ = argument;
  finished_ = false;
#if defined(M2F_FIBRE_UCONTEXT)
  auto* const context = static_cast<ucontext_t*>(context_);
  getcontext(context);
  context->uc_stack.ss_sp = bottom;
  context->uc_stack.ss_size = kStackBytes;
  context->uc_link = nullptr;
  makecontext(context, &FibreSwitch::Entry, 0);
#else
  // What Mask2FormerSwitchStack() pops: six registers and the address of
  // Entry(), which finds the stack as after a call.
  auto* const top = reinterpret_cast<void**>(bottom + kStackBytes) - 8;
  for (int i = 0; i < 8; ++i) top[i] = nullptr;
  top[6] = reinterpret_cast<void*>(&FibreSwitch::Entry);
  context_ = top;
#endif
}

bool Fibre::Resume() {
  if (finished_) return false;
  FibreSwitch::Enter(this);
  return !finished_;
}

bool Fibre::Owns(const void* address) const {
  const auto* const byte = static_cast<const char*>(address);
  return byte >= stack_ && byte < stack_ + FibreSwitch::Page() + kStackBytes;
}

void Fibre::Suspend() { FibreSwitch::Leave(running); }

}  // namespace mask2former
