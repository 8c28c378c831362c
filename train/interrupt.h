#ifndef MASK2FORMER_TRAIN_INTERRUPT_H_
#define MASK2FORMER_TRAIN_INTERRUPT_H_

namespace mask2former {

// While it lives, the first SIGINT (Ctrl-C) or SIGTERM is remembered instead of
// ending the program, so that the step in progress can be finished and saved; a
// line on standard error says so at once. A second one ends the program
// immediately. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();

  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  // The signal that came, or 0.
  int signal() const;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_INTERRUPT_H_
