#ifndef MASK2FORMER_MODEL_WEIGHTS_PICKLE_VALUE_H_
#define MASK2FORMER_MODEL_WEIGHTS_PICKLE_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/strings/string_view.h"

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

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_PICKLE_VALUE_H_
