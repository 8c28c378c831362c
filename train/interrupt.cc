#include "mask2former/train/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "mask2former/common/logging.h"

namespace mask2former {
namespace {

std::atomic<int> caught{0};
std::atomic<bool> alive{false};

void Remember(int signal) {
  caught = signal;
  constexpr char kAnswer[] =
      "\nstopping after the step in progress; once more to stop at once\n";
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, kAnswer, sizeof(kAnswer) - 1);
  std::signal(signal, SIG_DFL);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  CHECK(!alive.exchange(true)) << "one InterruptGuard at a time";
  caught = 0;
  std::signal(SIGINT, &Remember);
  std::signal(SIGTERM, &Remember);
}

InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  alive = false;
}

int InterruptGuard::signal() const { return caught; }

}  // namespace mask2former
