#ifndef MASK2FORMER_COMMON_TEXT_PROTO_H_
#define MASK2FORMER_COMMON_TEXT_PROTO_H_

// Settings as Protocol Buffers text: files that build on other files, overrides
// from the command line, and errors that say where and what instead.

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace mask2former {

// Reads the file `path`, then applies `overrides`, into `message`, which is
// left as it was on an error.
//
// A file whose message has a field "repeated string include" builds on the
// files named there, relative to itself. They are read first, in order, each
// with its own includes, wherever the line stands; the field is empty in the
// result. What comes later wins: a scalar replaces, a message is merged field
// by field, an arm of a oneof replaces the other arms, and a repeated field
// replaces the whole list ("x: []" empties it).
//
// An override is "path.to.field=value", for instance
//
//   solver.base_lr=5e-5            number, true or false, name of an enum
//   data.root=/data/cityscapes     string, quotes optional
//   crop.size=512,1024             list, or [512,1024]; replaces the whole list
//   solver.schedule={power: 1}     message in text format; merged
//
// Returns InvalidArgument that lists every mistake of all files and overrides,
// one on a line, as "file:line:column: what is wrong"; NotFound and the like if
// `path` cannot be read.
absl::Status ReadConfig(const std::string& path,
                        absl::Span<const std::string> overrides,
                        google::protobuf::Message& message);

// ReadConfig() without overrides.
template <typename Message>
absl::StatusOr<Message> ReadTextProto(const std::string& path);

// Reads `text`; `name` stands for the file in errors. An include is relative to
// the folder of `name`.
absl::Status ParseConfig(absl::string_view text, const std::string& name,
                         google::protobuf::Message& message);

// Applies overrides to `message`, as ReadConfig() does.
absl::Status ApplyOverrides(absl::Span<const std::string> overrides,
                            google::protobuf::Message& message);

// Text that ParseConfig() reads back to the same message.
std::string PrintConfig(const google::protobuf::Message& message);

// A copy of `message` in which every field that declares a default is set, in
// absent messages, too; elements of lists are completed, arms of oneofs are not
// chosen. For showing what a run will use: presence of a field outside a oneof
// says nothing any more.
template <typename Message>
Message WithDefaults(Message message);

// WithDefaults() for a message whose type is known at run time only.
void FillDefaults(google::protobuf::Message& message);

template <typename Message>
absl::StatusOr<Message> ReadTextProto(const std::string& path) {
  Message message;
  const absl::Status status = ReadConfig(path, {}, message);
  if (!status.ok()) return status;
  return message;
}

template <typename Message>
Message WithDefaults(Message message) {
  FillDefaults(message);
  return message;
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TEXT_PROTO_H_
