#ifndef MASK2FORMER_MODEL_WEIGHTS_PICKLE_H_
#define MASK2FORMER_MODEL_WEIGHTS_PICKLE_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace mask2former {

// A value in a pickle, uninterpreted: nothing is imported or called.
struct PickleValue {
  enum class Kind : uint8_t {
    kNone,
    kBool,      // number: 0 or 1
    kInt,       // number
    kBigInt,    // text: little-endian two's complement of over 8 bytes
    kFloat,     // real
    kString,    // text, UTF-8 or, from Python 2, any bytes
    kBytes,     // text
    kTuple,     // items
    kList,      // items
    kDict,      // items: key, value, key, value, ..; OrderedDict too
    kGlobal,    // text: "module name"
    kCall,      // items: callee (kGlobal), arguments (kTuple), then the states
                // that BUILD gave it
    kExternal,  // items: the persistent id, what the caller keeps elsewhere
  };

  Kind kind = Kind::kNone;
  union {
    int64_t number = 0;
    double real;
  };
  absl::string_view text;  // Lies in the pickle.
  std::vector<const PickleValue*> items;

  bool is(Kind other) const { return kind == other; }
  // Whether it is that global, or a call of it.
  bool IsGlobal(absl::string_view name) const {
    return kind == Kind::kGlobal && text == name;
  }
  bool Calls(absl::string_view name) const {
    return kind == Kind::kCall && items[0]->text == name;
  }
  // The value of a string key of a dict, nullptr if it has none. The last one
  // counts.
  const PickleValue* Find(absl::string_view key) const;
};

// A pickle and the values in it, which may refer to each other in circles.
struct Pickle {
  std::deque<PickleValue> values;  // Keeps them.
  const PickleValue* root = nullptr;
  size_t size = 0;  // Bytes up to and with STOP.
};

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
