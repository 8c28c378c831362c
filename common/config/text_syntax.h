#ifndef MASK2FORMER_COMMON_CONFIG_TEXT_SYNTAX_H_
#define MASK2FORMER_COMMON_CONFIG_TEXT_SYNTAX_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mask2former {

// Both count from 1; a tab moves to the next multiple of 8. 0: no place.
struct TextPosition {
  int line = 0;
  int column = 0;
};

struct TextError {
  TextPosition position;
  std::string message;
};

struct TextField;

// What stands to the right of a field's name.
struct TextValue {
  enum class Kind {
    kIdentifier,  // true, LINEAR, inf
    kInteger,     // 7, 0x1f
    kFloat,       // 1e-4
    kString,      // "a", also several in a row
    kMessage,     // { .. } or < .. >
    kList,        // [ .. ]
  };

  Kind kind = Kind::kIdentifier;
  TextPosition position;
  bool negative = false;            // Of numbers and of inf, nan.
  std::string text;                 // As written; of strings, decoded.
  std::vector<TextField> fields;    // Of a message.
  std::vector<TextValue> elements;  // Of a list.
};

struct TextField {
  std::string name;
  TextPosition position;
  TextValue value;
};

struct TextTree {
  std::vector<TextField> fields;
  std::vector<TextError> errors;  // In the order of the text.
};

// Reads the syntax of Protocol Buffers' text format, knowing no message type.
//
// Goes on after an error, on the line after it, so that one reading names
// every mistake. Extensions, "[a.b] { .. }", are not supported.
//
// Source: https://protobuf.dev/reference/protobuf/textformat-spec/
TextTree ParseTextSyntax(absl::string_view text);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_CONFIG_TEXT_SYNTAX_H_
