#include "mask2former/common/config/text_apply.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/config/suggestion.h"

namespace mask2former {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::EnumDescriptor;
using ::google::protobuf::EnumValueDescriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::OneofDescriptor;
using ::google::protobuf::Reflection;
using ::google::protobuf::io::Tokenizer;
using Kind = TextValue::Kind;

std::vector<std::string> FieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) {
    names.push_back(type.field(i)->name());
  }
  return names;
}

std::vector<std::string> ValueNames(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    names.push_back(type.value(i)->name());
  }
  return names;
}

// The nearest place below `type` that has a field `name`, as "solver.base_lr";
// empty if there is none.
std::string FindBelow(const Descriptor& type, const std::string& name) {
  std::set<const Descriptor*> visited = {&type};
  std::vector<std::pair<const Descriptor*, std::string>> queue = {{&type, ""}};
  for (size_t next = 0; next < queue.size(); ++next) {
    const auto [current, path] = queue[next];
    if (current->FindFieldByName(name) != nullptr) return path + name;
    for (int i = 0; i < current->field_count(); ++i) {
      const FieldDescriptor* field = current->field(i);
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
          visited.insert(field->message_type()).second) {
        queue.push_back(
            {field->message_type(), absl::StrCat(path, field->name(), ".")});
      }
    }
  }
  return "";
}

std::string UnknownField(const Descriptor& type, const std::string& name) {
  const std::string below = FindBelow(type, name);
  return absl::StrCat(
      "unknown field '", name, "' in message ", type.full_name(),
      below.empty() ? Suggest(name, FieldNames(type))
                    : absl::StrCat("; did you mean '", below, "'?"));
}

std::string Describe(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat("a whole number (", field.cpp_type_name(), ")");
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return absl::StrCat("a number (", field.cpp_type_name(), ")");
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_STRING:
      return "a string in quotes";
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrCat("one of ",
                          absl::StrJoin(ValueNames(*field.enum_type()), ", "));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return absl::StrCat("a message { .. } (",
                          field.message_type()->full_name(), ")");
  }
  return "";
}

std::string Describe(const TextValue& value) {
  const std::string spelled =
      absl::StrCat(value.negative ? "-" : "", value.text);
  switch (value.kind) {
    case Kind::kIdentifier:
      return absl::StrCat("the word ", spelled);
    case Kind::kInteger:
    case Kind::kFloat:
      return absl::StrCat("the number ", spelled);
    case Kind::kString:
      return absl::StrCat("the string \"", spelled, "\"");
    case Kind::kMessage:
      return "a message { .. }";
    case Kind::kList:
      return "a list [ .. ]";
  }
  return "";
}

class Applier {
 public:
  void Fields(absl::Span<const TextField> fields, Message& message) {
    const Descriptor& type = *message.GetDescriptor();
    std::map<const FieldDescriptor*, TextPosition> seen;
    std::map<const OneofDescriptor*, const FieldDescriptor*> arms;
    for (const TextField& entry : fields) {
      const FieldDescriptor* field = type.FindFieldByName(entry.name);
      if (field == nullptr) {
        Fail(entry.position, UnknownField(type, entry.name));
        continue;
      }
      const auto [first, is_first] = seen.insert({field, entry.position});
      if (field->is_repeated()) {
        if (is_first) message.GetReflection()->ClearField(&message, field);
        Repeated(*field, entry.value, message);
        continue;
      }
      if (!is_first) {
        Fail(entry.position,
             absl::StrCat("'", entry.name, "' is set twice, first on line ",
                          first->second.line));
        continue;
      }
      if (const OneofDescriptor* oneof = field->containing_oneof()) {
        const auto [arm, is_only] = arms.insert({oneof, field});
        if (!is_only) {
          Fail(entry.position,
               absl::StrCat("'", entry.name, "' and '", arm->second->name(),
                            "' exclude each other (oneof ", oneof->name(),
                            "); '", arm->second->name(), "' is set on line ",
                            seen[arm->second].line));
          continue;
        }
      }
      if (entry.value.kind == Kind::kList) {
        Fail(entry.value.position,
             absl::StrCat("'", entry.name, "' takes one value, ",
                          Describe(*field), ", not a list"));
        continue;
      }
      Value(*field, entry.value, message);
    }
  }

  std::vector<TextError> TakeErrors() { return std::move(errors_); }

 private:
  void Fail(TextPosition position, std::string message) {
    errors_.push_back({position, std::move(message)});
  }

  void WrongType(const FieldDescriptor& field, const TextValue& value) {
    Fail(value.position,
         absl::StrCat("'", field.name(), "' must be ", Describe(field),
                      ", got ", Describe(value)));
  }

  void Repeated(const FieldDescriptor& field, const TextValue& value,
                Message& message) {
    if (value.kind != Kind::kList) return Value(field, value, message);
    for (const TextValue& element : value.elements) {
      Value(field, element, message);
    }
  }

  // Sets a singular field or adds to a repeated one.
  void Value(const FieldDescriptor& field, const TextValue& value,
             Message& message) {
    const Reflection& reflection = *message.GetReflection();
    const bool repeated = field.is_repeated();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        if (const auto number = Signed<int32_t>(field, value)) {
          repeated ? reflection.AddInt32(&message, &field, *number)
                   : reflection.SetInt32(&message, &field, *number);
        }
        return;
      case FieldDescriptor::CPPTYPE_INT64:
        if (const auto number = Signed<int64_t>(field, value)) {
          repeated ? reflection.AddInt64(&message, &field, *number)
                   : reflection.SetInt64(&message, &field, *number);
        }
        return;
      case FieldDescriptor::CPPTYPE_UINT32:
        if (const auto number = Unsigned<uint32_t>(field, value)) {
          repeated ? reflection.AddUInt32(&message, &field, *number)
                   : reflection.SetUInt32(&message, &field, *number);
        }
        return;
      case FieldDescriptor::CPPTYPE_UINT64:
        if (const auto number = Unsigned<uint64_t>(field, value)) {
          repeated ? reflection.AddUInt64(&message, &field, *number)
                   : reflection.SetUInt64(&message, &field, *number);
        }
        return;
      case FieldDescriptor::CPPTYPE_FLOAT:
        if (const auto number = Real<float>(field, value)) {
          const float narrow = static_cast<float>(*number);
          repeated ? reflection.AddFloat(&message, &field, narrow)
                   : reflection.SetFloat(&message, &field, narrow);
        }
        return;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        if (const auto number = Real<double>(field, value)) {
          repeated ? reflection.AddDouble(&message, &field, *number)
                   : reflection.SetDouble(&message, &field, *number);
        }
        return;
      case FieldDescriptor::CPPTYPE_BOOL:
        if (const auto flag = Bool(field, value)) {
          repeated ? reflection.AddBool(&message, &field, *flag)
                   : reflection.SetBool(&message, &field, *flag);
        }
        return;
      case FieldDescriptor::CPPTYPE_STRING:
        if (value.kind != Kind::kString) return WrongType(field, value);
        repeated ? reflection.AddString(&message, &field, value.text)
                 : reflection.SetString(&message, &field, value.text);
        return;
      case FieldDescriptor::CPPTYPE_ENUM:
        if (const EnumValueDescriptor* name = Enum(field, value)) {
          repeated ? reflection.AddEnum(&message, &field, name)
                   : reflection.SetEnum(&message, &field, name);
        }
        return;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (value.kind != Kind::kMessage) return WrongType(field, value);
        Fields(value.fields,
               *(repeated ? reflection.AddMessage(&message, &field)
                          : reflection.MutableMessage(&message, &field)));
        return;
    }
  }

  void OutOfRange(const FieldDescriptor& field, const TextValue& value,
                  const std::string& range) {
    Fail(value.position, absl::StrCat("'", field.name(), "' must be in ", range,
                                      " (", field.cpp_type_name(), "), got ",
                                      value.negative ? "-" : "", value.text));
  }

  template <typename Integer>
  std::optional<Integer> Signed(const FieldDescriptor& field,
                                const TextValue& value) {
    if (value.kind != Kind::kInteger) {
      WrongType(field, value);
      return std::nullopt;
    }
    using Limits = std::numeric_limits<Integer>;
    const uint64_t largest =
        static_cast<uint64_t>(Limits::max()) + (value.negative ? 1 : 0);
    uint64_t magnitude = 0;
    if (!Tokenizer::ParseInteger(value.text, largest, &magnitude)) {
      OutOfRange(field, value,
                 absl::StrCat(Limits::min(), " .. ", Limits::max()));
      return std::nullopt;
    }
    // Negated without overflow for the smallest number, too.
    return static_cast<Integer>(value.negative ? uint64_t{0} - magnitude
                                               : magnitude);
  }

  template <typename Integer>
  std::optional<Integer> Unsigned(const FieldDescriptor& field,
                                  const TextValue& value) {
    if (value.kind != Kind::kInteger) {
      WrongType(field, value);
      return std::nullopt;
    }
    const uint64_t largest = std::numeric_limits<Integer>::max();
    uint64_t magnitude = 0;
    if (!Tokenizer::ParseInteger(value.text, largest, &magnitude) ||
        (value.negative && magnitude != 0)) {
      OutOfRange(field, value, absl::StrCat("0 .. ", largest));
      return std::nullopt;
    }
    return static_cast<Integer>(magnitude);
  }

  template <typename Float>
  std::optional<double> Real(const FieldDescriptor& field,
                             const TextValue& value) {
    double number = 0;
    if (value.kind == Kind::kInteger || value.kind == Kind::kFloat) {
      uint64_t integer = 0;
      // ParseFloat reads neither hexadecimal nor octal.
      number = value.kind == Kind::kInteger &&
                       Tokenizer::ParseInteger(
                           value.text, std::numeric_limits<uint64_t>::max(),
                           &integer)
                   ? static_cast<double>(integer)
                   : Tokenizer::ParseFloat(value.text);
    } else if (value.kind == Kind::kIdentifier &&
               (value.text == "inf" || value.text == "infinity")) {
      number = std::numeric_limits<double>::infinity();
    } else if (value.kind == Kind::kIdentifier && value.text == "nan") {
      number = std::numeric_limits<double>::quiet_NaN();
    } else {
      WrongType(field, value);
      return std::nullopt;
    }
    const double largest = std::numeric_limits<Float>::max();
    if (value.kind != Kind::kIdentifier && number > largest) {
      OutOfRange(field, value, absl::StrCat("-", largest, " .. ", largest));
      return std::nullopt;
    }
    return value.negative ? -number : number;
  }

  std::optional<bool> Bool(const FieldDescriptor& field,
                           const TextValue& value) {
    if (!value.negative &&
        (value.kind == Kind::kIdentifier || value.kind == Kind::kInteger)) {
      for (const char* word : {"true", "True", "t", "1"}) {
        if (value.text == word) return true;
      }
      for (const char* word : {"false", "False", "f", "0"}) {
        if (value.text == word) return false;
      }
    }
    WrongType(field, value);
    return std::nullopt;
  }

  const EnumValueDescriptor* Enum(const FieldDescriptor& field,
                                  const TextValue& value) {
    if (value.kind != Kind::kIdentifier || value.negative) {
      WrongType(field, value);
      return nullptr;
    }
    const EnumDescriptor& type = *field.enum_type();
    const EnumValueDescriptor* found = type.FindValueByName(value.text);
    if (found == nullptr) {
      Fail(value.position,
           absl::StrCat("unknown value '", value.text, "' for '", field.name(),
                        "' in message ", field.containing_type()->full_name(),
                        Suggest(value.text, ValueNames(type))));
    }
    return found;
  }

  std::vector<TextError> errors_;
};

}  // namespace

std::vector<TextError> ApplyTextFields(absl::Span<const TextField> fields,
                                       Message& message) {
  Applier applier;
  applier.Fields(fields, message);
  return applier.TakeErrors();
}

}  // namespace mask2former
