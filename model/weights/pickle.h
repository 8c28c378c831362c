#ifndef MASK2FORMER_MODEL_WEIGHTS_PICKLE_H_
#define MASK2FORMER_MODEL_WEIGHTS_PICKLE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "mask2former/model/weights/pickle_value.h"

namespace mask2former {

// Reads one pickle of protocol 2 to 5 from the start of `bytes`, which the
// result points into. Never runs anything: a global is a name, a call is a
// note of it.
//
//   globals  "module name" of those that may occur, sorted
//
// Memory is at most 256 bytes per byte read, and 1 GiB in all. Time is linear.
//
// Returns InvalidArgument, with the offset, for opcodes of protocols 0 and 1,
// for everything that runs code (OBJ, INST, EXT), for other globals, for a
// malformed or cut-off pickle.
//
// Source: Python's Lib/pickletools.py, where opcodes are described.
absl::StatusOr<Pickle> ReadPickle(absl::string_view bytes,
                                  absl::Span<const absl::string_view> globals);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_PICKLE_H_
