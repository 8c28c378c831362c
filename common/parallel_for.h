#ifndef MASK2FORMER_COMMON_PARALLEL_FOR_H_
#define MASK2FORMER_COMMON_PARALLEL_FOR_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"

namespace mask2former {

// Calls body(0) .. body(count - 1) in threads of its own, each index once, in
// any order; returns when all have ended. For work such as reading files; needs
// no LibTorch.
//
//   num_threads  0: as many as there are cores
//
// Returns the first error, after which no further index is begun. An exception
// that leaves `body` becomes an Internal error.
absl::Status ParallelFor(int64_t count, int num_threads,
                         const std::function<absl::Status(int64_t)>& body);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_PARALLEL_FOR_H_
