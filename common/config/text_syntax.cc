#include "mask2former/common/config/text_syntax.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace mask2former {
namespace {

using ::google::protobuf::io::ArrayInputStream;
using ::google::protobuf::io::Tokenizer;

// Nesting beyond this is an error, not a stack overflow.
constexpr int kMaxDepth = 100;

class ErrorList : public ::google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    Add({line + 1, column + 1}, message);
  }
  void Add(TextPosition position, std::string message) {
    errors_.push_back({position, std::move(message)});
  }
  std::vector<TextError>& errors() { return errors_; }

 private:
  std::vector<TextError> errors_;
};

class Reader {
 public:
  explicit Reader(absl::string_view text)
      : stream_(text.data(), static_cast<int>(text.size())),
        tokenizer_(&stream_, &errors_) {
    tokenizer_.set_allow_f_after_float(true);
    tokenizer_.set_comment_style(Tokenizer::SH_COMMENT_STYLE);
    tokenizer_.set_require_space_after_number(false);
    tokenizer_.Next();
  }

  TextTree Read() {
    TextTree tree;
    ReadFields(/*closing=*/"", &tree.fields);
    std::stable_sort(
        errors_.errors().begin(), errors_.errors().end(),
        [](const TextError& a, const TextError& b) {
          return std::make_pair(a.position.line, a.position.column) <
                 std::make_pair(b.position.line, b.position.column);
        });
    tree.errors = std::move(errors_.errors());
    return tree;
  }

 private:
  TextPosition position() {
    return {tokenizer_.current().line + 1, tokenizer_.current().column + 1};
  }
  bool At(const char* symbol) {
    return tokenizer_.current().type == Tokenizer::TYPE_SYMBOL &&
           tokenizer_.current().text == symbol;
  }
  bool AtEnd() { return tokenizer_.current().type == Tokenizer::TYPE_END; }
  bool Take(const char* symbol) {
    if (!At(symbol)) return false;
    tokenizer_.Next();
    return true;
  }

  std::string Found() {
    return AtEnd() ? "the end of the text"
                   : absl::StrCat("'", tokenizer_.current().text, "'");
  }

  // Says what was wanted and moves to the next line.
  void Fail(const std::string& wanted) {
    errors_.Add(position(),
                absl::StrCat("expected ", wanted, ", found ", Found()));
    const int line = tokenizer_.current().line;
    while (!AtEnd() && tokenizer_.current().line == line) {
      if (At("}") || At(">")) return;
      tokenizer_.Next();
    }
  }

  // Until `closing`, which it takes, or the end of the text if empty.
  void ReadFields(const std::string& closing, std::vector<TextField>* fields) {
    while (!AtEnd()) {
      if (!closing.empty() && Take(closing.c_str())) return;
      const Tokenizer::Token& token = tokenizer_.current();
      if (token.type == Tokenizer::TYPE_IDENTIFIER) {
        ReadField(fields);
      } else if (At("[")) {
        Fail("a field's name (extensions are not supported)");
      } else if (At("}") || At(">")) {
        errors_.Add(position(), absl::StrCat(Found(), " closes nothing"));
        tokenizer_.Next();
      } else {
        Fail("a field's name");
      }
    }
    if (!closing.empty()) {
      errors_.Add(position(), absl::StrCat("expected '", closing,
                                           "', found the end of the text"));
    }
  }

  void ReadField(std::vector<TextField>* fields) {
    TextField field;
    field.name = tokenizer_.current().text;
    field.position = position();
    tokenizer_.Next();
    const bool colon = Take(":");
    if (!colon && !At("{") && !At("<")) {
      return Fail(absl::StrCat("':' or '{' after '", field.name, "'"));
    }
    if (!ReadValue(&field.value)) return;
    fields->push_back(std::move(field));
    if (!Take(";")) Take(",");
  }

  // False if there was none.
  bool ReadValue(TextValue* value) {
    value->position = position();
    if (At("{") || At("<")) {
      const std::string closing = At("{") ? "}" : ">";
      return Nested([&] {
        value->kind = TextValue::Kind::kMessage;
        tokenizer_.Next();
        ReadFields(closing, &value->fields);
        return true;
      });
    }
    if (At("[")) {
      return Nested([&] { return ReadList(value); });
    }
    value->negative = Take("-");
    const Tokenizer::Token& token = tokenizer_.current();
    switch (token.type) {
      case Tokenizer::TYPE_IDENTIFIER:
        value->kind = TextValue::Kind::kIdentifier;
        break;
      case Tokenizer::TYPE_INTEGER:
        value->kind = TextValue::Kind::kInteger;
        break;
      case Tokenizer::TYPE_FLOAT:
        value->kind = TextValue::Kind::kFloat;
        break;
      case Tokenizer::TYPE_STRING:
        if (value->negative) break;
        value->kind = TextValue::Kind::kString;
        do {
          Tokenizer::ParseStringAppend(tokenizer_.current().text, &value->text);
          tokenizer_.Next();
        } while (tokenizer_.current().type == Tokenizer::TYPE_STRING);
        return true;
      default:
        Fail("a value");
        return false;
    }
    if (value->negative && token.type == Tokenizer::TYPE_STRING) {
      Fail("a number after '-'");
      return false;
    }
    value->text = token.text;
    tokenizer_.Next();
    return true;
  }

  bool ReadList(TextValue* value) {
    value->kind = TextValue::Kind::kList;
    tokenizer_.Next();
    if (Take("]")) return true;
    do {
      if (At("[")) {
        Fail("a value (lists do not nest)");
        return false;
      }
      value->elements.emplace_back();
      if (!ReadValue(&value->elements.back())) return false;
    } while (Take(","));
    if (Take("]")) return true;
    Fail("',' or ']'");
    return false;
  }

  template <typename Function>
  bool Nested(const Function& function) {
    if (depth_ == kMaxDepth) {
      errors_.Add(position(), "nested too deeply");
      while (!AtEnd()) tokenizer_.Next();
      return false;
    }
    ++depth_;
    const bool result = function();
    --depth_;
    return result;
  }

  ErrorList errors_;
  ArrayInputStream stream_;
  Tokenizer tokenizer_;
  int depth_ = 0;
};

}  // namespace

TextTree ParseTextSyntax(absl::string_view text) {
  if (text.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    TextTree tree;
    tree.errors.push_back({{}, "the text is larger than 2 GiB"});
    return tree;
  }
  return Reader(text).Read();
}

}  // namespace mask2former
