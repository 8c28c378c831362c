#include "mask2former/model/weights/pickle_stack.h"

#include <algorithm>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

// Training checkpoints of the largest published model have 20 thousand.
constexpr size_t kMaxValues = size_t{4} << 20;
constexpr size_t kMaxNameLength = 200;
constexpr absl::string_view kOrderedDict = "collections OrderedDict";

absl::Status Malformed(absl::string_view reason) {
  return absl::InvalidArgumentError(reason);
}

}  // namespace

// ---- Values.

absl::StatusOr<PickleValue*> PickleStack::New(Kind kind) {
  if (values_.size() >= kMaxValues) {
    return Malformed(
        absl::StrCat("more than ", kMaxValues, " values are not read"));
  }
  values_.emplace_back();
  values_.back().kind = kind;
  return &values_.back();
}

absl::Status PickleStack::Push(PickleValue* value) {
  if (stack_.size() >= kMaxValues) return Malformed("the stack is too deep");
  stack_.push_back(value);
  return absl::OkStatus();
}

absl::Status PickleStack::PushNumber(Kind kind, int64_t number) {
  M2F_ASSIGN_OR_RETURN(PickleValue* const value, New(kind));
  value->number = number;
  return Push(value);
}

absl::Status PickleStack::PushText(Kind kind, absl::string_view text) {
  M2F_ASSIGN_OR_RETURN(PickleValue* const value, New(kind));
  value->text = text;
  return Push(value);
}

absl::Status PickleStack::PushReal(double real) {
  M2F_ASSIGN_OR_RETURN(PickleValue* const value, New(Kind::kFloat));
  value->real = real;
  return Push(value);
}

absl::Status PickleStack::PushItems(Kind kind, const Items& items) {
  if (kind == Kind::kDict && items.size() % 2 != 0) {
    return Malformed("a key has no value");
  }
  M2F_ASSIGN_OR_RETURN(PickleValue* const value, New(kind));
  value->items.assign(items.begin(), items.end());
  return Push(value);
}

absl::Status PickleStack::PushTuple(size_t count) {
  M2F_ASSIGN_OR_RETURN(const Items items, PopItems(count));
  return PushItems(Kind::kTuple, items);
}

absl::Status PickleStack::PushMarked(Kind kind) {
  M2F_ASSIGN_OR_RETURN(const Items items, PopToMark());
  return PushItems(kind, items);
}

absl::Status PickleStack::PushExternal() {
  M2F_ASSIGN_OR_RETURN(PickleValue* const id, Pop());
  return PushItems(Kind::kExternal, {id});
}

absl::Status PickleStack::PushGlobal(absl::string_view module,
                                     absl::string_view name) {
  module = module.substr(0, kMaxNameLength);
  name = name.substr(0, kMaxNameLength);
  const std::string both = absl::StrCat(module, " ", name);
  const auto known = std::lower_bound(globals_.begin(), globals_.end(), both);
  if (known == globals_.end() || *known != both) {
    return Malformed(absl::StrCat(
        "refers to ", absl::CHexEscape(module), ".", absl::CHexEscape(name),
        ", which is not on the list of things that weight files need; "
        "nothing of the file is run"));
  }
  return PushText(Kind::kGlobal, *known);
}

// ---- The stack and its marks.

absl::Status PickleStack::Need(size_t count) const {
  if (stack_.size() - FirstAboveMark() >= count) return absl::OkStatus();
  return Malformed("the stack is empty");
}

absl::Status PickleStack::Mark() {
  if (marks_.size() >= kMaxValues) return Malformed("too many marks");
  marks_.push_back(stack_.size());
  return absl::OkStatus();
}

absl::StatusOr<PickleValue*> PickleStack::Pop() {
  M2F_RETURN_IF_ERROR(Need(1));
  PickleValue* const value = stack_.back();
  stack_.pop_back();
  return value;
}

absl::StatusOr<PickleStack::Items> PickleStack::PopItems(size_t count) {
  M2F_RETURN_IF_ERROR(Need(count));
  Items items(stack_.end() - count, stack_.end());
  stack_.resize(stack_.size() - count);
  return items;
}

// The values above the last mark, which goes too.
absl::StatusOr<PickleStack::Items> PickleStack::PopToMark() {
  if (marks_.empty()) return Malformed("there is no mark");
  Items items(stack_.begin() + marks_.back(), stack_.end());
  stack_.resize(marks_.back());
  marks_.pop_back();
  return items;
}

absl::Status PickleStack::PopMarked() { return PopToMark().status(); }

absl::Status PickleStack::PopAny() {
  if (stack_.size() == FirstAboveMark() && !marks_.empty()) return PopMarked();
  return Pop().status();
}

absl::Status PickleStack::Duplicate() {
  M2F_RETURN_IF_ERROR(Need(1));
  return Push(stack_.back());
}

absl::Status PickleStack::AddTo(Kind kind, const Items& items) {
  M2F_RETURN_IF_ERROR(Need(1));
  PickleValue* const target = stack_.back();
  if (target->kind != kind) {
    return Malformed(kind == Kind::kList ? "appends to what is no list"
                                         : "sets items of what is no dict");
  }
  if (kind == Kind::kDict && items.size() % 2 != 0) {
    return Malformed("a key has no value");
  }
  target->items.insert(target->items.end(), items.begin(), items.end());
  return absl::OkStatus();
}

absl::Status PickleStack::AddTop(Kind kind, size_t count) {
  M2F_ASSIGN_OR_RETURN(const Items items, PopItems(count));
  return AddTo(kind, items);
}

absl::Status PickleStack::AddMarked(Kind kind) {
  M2F_ASSIGN_OR_RETURN(const Items items, PopToMark());
  return AddTo(kind, items);
}

// ---- The memo.

absl::Status PickleStack::Remember(uint64_t index) {
  M2F_RETURN_IF_ERROR(Need(1));
  memo_[index] = stack_.back();
  return absl::OkStatus();
}

absl::Status PickleStack::Recall(uint64_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) {
    return Malformed(absl::StrCat("memo ", index, " is empty"));
  }
  return Push(found->second);
}

// ---- Calls.

absl::Status PickleStack::Call() {
  M2F_ASSIGN_OR_RETURN(PickleValue* const arguments, Pop());
  M2F_ASSIGN_OR_RETURN(PickleValue* const callee, Pop());
  if (!callee->is(Kind::kGlobal) || !arguments->is(Kind::kTuple)) {
    return Malformed("calls something that is no global");
  }
  if (callee->text == kOrderedDict) return PushOrderedDict(*arguments);
  return PushItems(Kind::kCall, {callee, arguments});
}

// OrderedDict() or, from Python 2, OrderedDict([[key, value], ..]).
absl::Status PickleStack::PushOrderedDict(const PickleValue& arguments) {
  M2F_ASSIGN_OR_RETURN(PickleValue* const dict, New(Kind::kDict));
  if (arguments.items.size() > 1 ||
      (arguments.items.size() == 1 && !arguments.items[0]->is(Kind::kList))) {
    return Malformed("OrderedDict has unknown arguments");
  }
  if (arguments.items.size() == 1) {
    const PickleValue& pairs = *arguments.items[0];
    // A list may be given many times; its bytes have been paid for once.
    copied_ += pairs.items.size();
    if (copied_ > num_bytes_) return Malformed("OrderedDict is too large");
    for (const PickleValue* const pair : pairs.items) {
      if ((!pair->is(Kind::kList) && !pair->is(Kind::kTuple)) ||
          pair->items.size() != 2) {
        return Malformed("OrderedDict has unknown arguments");
      }
      dict->items.insert(dict->items.end(), pair->items.begin(),
                         pair->items.end());
    }
  }
  return Push(dict);
}

absl::Status PickleStack::Build() {
  M2F_ASSIGN_OR_RETURN(PickleValue* const state, Pop());
  M2F_RETURN_IF_ERROR(Need(1));
  PickleValue* const target = stack_.back();
  // Attributes of an OrderedDict (LibTorch's _metadata) are not weights.
  if (target->is(Kind::kDict)) return absl::OkStatus();
  if (!target->is(Kind::kCall)) {
    return Malformed("gives a state to what is no object");
  }
  target->items.push_back(state);
  return absl::OkStatus();
}

}  // namespace mask2former
