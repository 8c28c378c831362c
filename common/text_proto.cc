#include "mask2former/common/text_proto.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "mask2former/common/config/text_apply.h"
#include "mask2former/common/config/text_syntax.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

constexpr char kInclude[] = "include";

const FieldDescriptor* IncludeField(const Message& message) {
  const FieldDescriptor* field =
      message.GetDescriptor()->FindFieldByName(kInclude);
  return field != nullptr && field->is_repeated() &&
                 field->cpp_type() == FieldDescriptor::CPPTYPE_STRING
             ? field
             : nullptr;
}

// The same text for every way to spell a file's path.
std::string Identity(const std::string& path) {
  std::error_code error;
  const std::filesystem::path canonical =
      std::filesystem::weakly_canonical(path, error);
  return error ? path : canonical.string();
}

std::string Relative(const std::string& including, const std::string& include) {
  return (std::filesystem::path(including).parent_path() / include)
      .lexically_normal()
      .string();
}

// Reads files and overrides into one message and keeps every mistake.
class Loader {
 public:
  explicit Loader(Message& message) : message_(message) {}

  absl::Status File(const std::string& path) {
    M2F_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    Text(text, path);
    return absl::OkStatus();
  }

  void Text(absl::string_view text, const std::string& path) {
    chain_.push_back(path);
    const TextTree tree = ParseTextSyntax(text);
    const FieldDescriptor* include = IncludeField(message_);
    if (include != nullptr) {
      for (const TextField& field : tree.fields) {
        if (field.name == kInclude) Include(path, field.value);
      }
    }
    std::vector<TextError> errors = tree.errors;
    for (TextError& error : ApplyTextFields(tree.fields, message_)) {
      errors.push_back(std::move(error));
    }
    std::stable_sort(errors.begin(), errors.end(),
                     [](const TextError& a, const TextError& b) {
                       return a.position.line < b.position.line;
                     });
    for (const TextError& error : errors) Fail(path, error);
    if (include != nullptr) {
      message_.GetReflection()->ClearField(&message_, include);
    }
    chain_.pop_back();
  }

  void Override(const std::string& override) {
    const std::string source = absl::StrCat("--set ", override);
    const size_t equals = override.find('=');
    if (equals == std::string::npos) {
      Fail(source, {{}, "expected path.to.field=value"});
      return;
    }
    const std::vector<std::string> names =
        absl::StrSplit(override.substr(0, equals), '.');
    const std::string value(
        absl::StripAsciiWhitespace(override.substr(equals + 1)));
    if (names.front() == kInclude && IncludeField(message_) != nullptr) {
      Fail(source, {{}, "an include stands in a file"});
      return;
    }
    // Down to the message that holds the field; null once a name is unknown,
    // which ApplyTextFields() reports.
    const Descriptor* type = message_.GetDescriptor();
    const FieldDescriptor* last = nullptr;
    for (size_t i = 0; i < names.size(); ++i) {
      last = type == nullptr ? nullptr : type->FindFieldByName(names[i]);
      type = last == nullptr ? nullptr : last->message_type();
      if (i + 1 == names.size() || last == nullptr) continue;
      if (type == nullptr || last->is_repeated()) {
        Fail(source, {{},
                      absl::StrCat("'", names[i], "' in message ",
                                   last->containing_type()->full_name(), " is ",
                                   last->is_repeated()
                                       ? "a list; set it as a whole"
                                       : "no message, it has no fields")});
        return;
      }
    }
    TextTree tree =
        ParseTextSyntax(absl::StrCat("x: ", SpellValue(value, last)));
    if (!tree.errors.empty() || tree.fields.size() != 1) {
      Fail(source, {{},
                    absl::StrCat("cannot read the value '", value, "'",
                                 tree.errors.empty()
                                     ? std::string()
                                     : ": " + tree.errors.front().message)});
      return;
    }
    TextField field = std::move(tree.fields.front());
    field.name = names.back();
    for (size_t i = names.size() - 1; i-- > 0;) {
      TextField outer;
      outer.name = names[i];
      outer.value.kind = TextValue::Kind::kMessage;
      outer.value.fields.push_back(std::move(field));
      field = std::move(outer);
    }
    for (const TextError& error : ApplyTextFields({field}, message_)) {
      Fail(source, {{}, error.message});
    }
  }

  absl::Status Finish() {
    if (errors_.empty() && !message_.IsInitialized()) {
      errors_.push_back(absl::StrCat("required fields are missing: ",
                                     message_.InitializationErrorString()));
    }
    if (errors_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(errors_, "\n"));
  }

 private:
  void Fail(const std::string& source, const TextError& error) {
    std::string line =
        error.position.line == 0
            ? absl::StrCat(source, ": ", error.message)
            : absl::StrCat(source, ":", error.position.line, ":",
                           error.position.column, ": ", error.message);
    // A file may be included by two others.
    if (std::find(errors_.begin(), errors_.end(), line) == errors_.end()) {
      errors_.push_back(std::move(line));
    }
  }

  void Include(const std::string& including, const TextValue& value) {
    for (const TextValue& element : value.elements) {
      Include(including, element);
    }
    if (value.kind != TextValue::Kind::kString) return;
    const std::string path = Relative(including, value.text);
    for (size_t i = 0; i < chain_.size(); ++i) {
      if (Identity(chain_[i]) != Identity(path)) continue;
      const std::vector<std::string> cycle(chain_.begin() + i, chain_.end());
      Fail(including,
           {value.position,
            absl::StrCat("include goes in a circle: ",
                         absl::StrJoin(cycle, " -> "), " -> ", path)});
      return;
    }
    const absl::Status status = File(path);
    if (!status.ok()) {
      Fail(including, {value.position,
                       absl::StrCat("cannot include: ", status.message())});
    }
  }

  // Turns a value of the command line into text format.
  static std::string SpellValue(const std::string& value,
                                const FieldDescriptor* field) {
    if (field == nullptr || value.empty()) return Quoted(value);
    const bool string = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const bool braced = value[0] == '{' || value[0] == '<' || value[0] == '[';
      return braced ? value : absl::StrCat("{", value, "}");
    }
    if (!field->is_repeated()) {
      return string && !IsQuoted(value) ? Quoted(value) : value;
    }
    std::string inner = value;
    if (inner.front() == '[' && inner.back() == ']') {
      inner = inner.substr(1, inner.size() - 2);
    }
    if (!string || IsQuoted(std::string(absl::StripAsciiWhitespace(inner)))) {
      return absl::StrCat("[", inner, "]");
    }
    std::vector<std::string> parts;
    for (absl::string_view part :
         absl::StrSplit(inner, ',', absl::SkipWhitespace())) {
      parts.push_back(Quoted(std::string(absl::StripAsciiWhitespace(part))));
    }
    return absl::StrCat("[", absl::StrJoin(parts, ","), "]");
  }

  static bool IsQuoted(const std::string& value) {
    return value.size() >= 2 && (value[0] == '"' || value[0] == '\'') &&
           value.front() == value.back();
  }

  static std::string Quoted(const std::string& value) {
    std::string quoted = "\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') quoted += '\\';
      if (c == '\n') {
        quoted += "\\n";
      } else {
        quoted += c;
      }
    }
    return quoted + "\"";
  }

  Message& message_;
  std::vector<std::string> chain_;  // Files being read, outermost first.
  std::vector<std::string> errors_;
};

// False, and nothing changed, if neither `message` nor anything below it
// declares a default.
bool FillDefaults(Message& message, std::vector<const Descriptor*>& path) {
  const Descriptor& type = *message.GetDescriptor();
  const Reflection& reflection = *message.GetReflection();
  path.push_back(&type);
  bool filled = false;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->is_repeated()) {
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
          field->is_map()) {
        continue;
      }
      for (int j = 0; j < reflection.FieldSize(message, field); ++j) {
        FillDefaults(*reflection.MutableRepeatedMessage(&message, field, j),
                     path);
      }
      continue;
    }
    const bool present = reflection.HasField(message, field);
    if (!present && field->containing_oneof() != nullptr) continue;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      // A type inside itself has no end of absent messages.
      if (!present && std::find(path.begin(), path.end(),
                                field->message_type()) != path.end()) {
        continue;
      }
      if (FillDefaults(*reflection.MutableMessage(&message, field), path)) {
        filled = true;
      } else if (!present) {
        reflection.ClearField(&message, field);
      }
      continue;
    }
    if (present || !field->has_default_value()) continue;
    filled = true;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        reflection.SetInt32(&message, field, field->default_value_int32());
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection.SetInt64(&message, field, field->default_value_int64());
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection.SetUInt32(&message, field, field->default_value_uint32());
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection.SetUInt64(&message, field, field->default_value_uint64());
        break;
      case FieldDescriptor::CPPTYPE_FLOAT:
        reflection.SetFloat(&message, field, field->default_value_float());
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        reflection.SetDouble(&message, field, field->default_value_double());
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection.SetBool(&message, field, field->default_value_bool());
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection.SetEnum(&message, field, field->default_value_enum());
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        reflection.SetString(&message, field, field->default_value_string());
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        break;
    }
  }
  path.pop_back();
  return filled;
}

// Runs `load` on a copy, so that `message` changes only if all went well.
template <typename Function>
absl::Status Load(Message& message, bool start_empty, const Function& load) {
  const std::unique_ptr<Message> result(message.New());
  if (!start_empty) result->CopyFrom(message);
  Loader loader(*result);
  M2F_RETURN_IF_ERROR(load(loader));
  M2F_RETURN_IF_ERROR(loader.Finish());
  message.CopyFrom(*result);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadConfig(const std::string& path,
                        absl::Span<const std::string> overrides,
                        Message& message) {
  return Load(message, /*start_empty=*/true, [&](Loader& loader) {
    M2F_RETURN_IF_ERROR(loader.File(path));
    for (const std::string& override : overrides) loader.Override(override);
    return absl::OkStatus();
  });
}

absl::Status ParseConfig(absl::string_view text, const std::string& name,
                         Message& message) {
  return Load(message, /*start_empty=*/true, [&](Loader& loader) {
    loader.Text(text, name);
    return absl::OkStatus();
  });
}

absl::Status ApplyOverrides(absl::Span<const std::string> overrides,
                            Message& message) {
  return Load(message, /*start_empty=*/false, [&](Loader& loader) {
    for (const std::string& override : overrides) loader.Override(override);
    return absl::OkStatus();
  });
}

std::string PrintConfig(const Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseShortRepeatedPrimitives(true);
  std::string text;
  printer.PrintToString(message, &text);
  return text;
}

void FillDefaults(Message& message) {
  std::vector<const Descriptor*> path;
  FillDefaults(message, path);
}

}  // namespace mask2former
