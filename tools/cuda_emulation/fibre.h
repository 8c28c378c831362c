#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_FIBRE_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_FIBRE_H_

#include <cstddef>

namespace mask2former {

// A function with a stack of its own that can be left in the middle and gone on
// with later. A thread of a CUDA block is one.
//
// Resume() and Suspend() cost some nanoseconds on x86-64; elsewhere they go
// through ucontext, which asks the operating system each time. AddressSanitizer
// is told about every switch. Overflowing the stack ends in a segmentation
// fault, never in another fibre's memory.
//
// All fibres of a process are used from one thread.
class Fibre {
 public:
  Fibre();
  ~Fibre();
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  // Prepares to run function(argument). A run that was not finished is dropped:
  // its local variables are not destroyed.
  void Start(void (*function)(void*), void* argument);

  // Runs until the function returns or calls Suspend(). False once it has
  // returned.
  bool Resume();

  // Whether the address is on this fibre's stack.
  bool Owns(const void* address) const;

  // Leaves the running fibre: its Resume() returns true.
  static void Suspend();

 private:
  friend struct FibreSwitch;

  char* stack_;    // The lowest page is a guard.
  void* context_;  // Of the fibre while it does not run, else of its caller.
  void (*function_)(void*) = nullptr;
  void* argument_ = nullptr;
  bool finished_ = true;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_FIBRE_H_
