#ifndef MASK2FORMER_COMMON_TESTING_PARSE_TEXT_PROTO_H_
#define MASK2FORMER_COMMON_TESTING_PARSE_TEXT_PROTO_H_

#include <google/protobuf/text_format.h>

#include <stdexcept>
#include <string>

namespace mask2former {

// The message that `text` spells; throws std::invalid_argument on a mistake, so
// that the test fails where it stands.
template <typename Message>
Message ParseTextProtoOrDie(const std::string& text) {
  Message message;
  if (!google::protobuf::TextFormat::ParseFromString(text, &message)) {
    throw std::invalid_argument("not a " + message.GetTypeName() + ": " + text);
  }
  return message;
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_PARSE_TEXT_PROTO_H_
