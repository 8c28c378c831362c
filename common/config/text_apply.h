#ifndef MASK2FORMER_COMMON_CONFIG_TEXT_APPLY_H_
#define MASK2FORMER_COMMON_CONFIG_TEXT_APPLY_H_

#include <google/protobuf/message.h>

#include <vector>

#include "absl/types/span.h"
#include "mask2former/common/config/text_syntax.h"

namespace mask2former {

// Writes `fields` over what `message` holds: a scalar replaces, a message is
// merged field by field, an arm of a oneof replaces the other arms, and a
// repeated field replaces the whole list ("x: []" empties it). Within `fields`
// a repeated field adds up as usual, and a singular one may stand once.
//
// Returns one error for every field that is unknown, of the wrong type, out of
// range or set twice, in the order of the text; the others are applied.
std::vector<TextError> ApplyTextFields(absl::Span<const TextField> fields,
                                       google::protobuf::Message& message);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_CONFIG_TEXT_APPLY_H_
