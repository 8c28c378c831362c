#ifndef MASK2FORMER_MODEL_WEIGHTS_PICKLE_STACK_H_
#define MASK2FORMER_MODEL_WEIGHTS_PICKLE_STACK_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "mask2former/model/weights/pickle_value.h"

namespace mask2former {

// What the opcodes of a pickle do to its stack, whatever bytes they are: the
// machine that ReadPickle() drives. Makes notes of values, never objects.
//
// Every function returns InvalidArgument for what no pickle of weights does.
class PickleStack {
 public:
  using Kind = PickleValue::Kind;

  // `globals` as in ReadPickle(). `num_bytes` of the pickle: no more is copied
  // than was written once.
  PickleStack(absl::Span<const absl::string_view> globals, size_t num_bytes)
      : globals_(globals), num_bytes_(num_bytes) {}

  absl::Status Push(PickleValue* value);
  absl::Status PushNumber(Kind kind, int64_t number);
  absl::Status PushText(Kind kind, absl::string_view text);
  absl::Status PushReal(double real);
  // The top `count` values become a tuple.
  absl::Status PushTuple(size_t count);
  // The values above the last mark become a tuple, a list or a dict.
  absl::Status PushMarked(Kind kind);
  // The top value is the name of something kept elsewhere.
  absl::Status PushExternal();
  absl::Status PushGlobal(absl::string_view module, absl::string_view name);

  absl::Status Mark();
  absl::StatusOr<PickleValue*> Pop();
  absl::Status PopMarked();
  // Pops a value, or a mark if that is on top.
  absl::Status PopAny();
  absl::Status Duplicate();

  // Appends the top `count` values to the list, or sets them as items of the
  // dict below.
  absl::Status AddTop(Kind kind, size_t count);
  // The same with all above the last mark.
  absl::Status AddMarked(Kind kind);

  absl::Status Remember(uint64_t index);
  absl::Status RememberNext() { return Remember(memo_.size()); }
  absl::Status Recall(uint64_t index);

  // Notes that the value below the top one, a global, is called with it.
  absl::Status Call();
  // Gives the top value as its state to the call below.
  absl::Status Build();

  // What has been made, which is gone then.
  std::deque<PickleValue> TakeValues() { return std::move(values_); }

 private:
  using Items = std::vector<PickleValue*>;

  absl::StatusOr<PickleValue*> New(Kind kind);
  absl::Status PushItems(Kind kind, const Items& items);
  absl::Status PushOrderedDict(const PickleValue& arguments);
  absl::Status AddTo(Kind kind, const Items& items);
  absl::StatusOr<Items> PopItems(size_t count);
  absl::StatusOr<Items> PopToMark();
  size_t FirstAboveMark() const { return marks_.empty() ? 0 : marks_.back(); }
  absl::Status Need(size_t count) const;

  absl::Span<const absl::string_view> globals_;
  size_t num_bytes_;
  size_t copied_ = 0;
  std::deque<PickleValue> values_;
  Items stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, PickleValue*> memo_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_PICKLE_STACK_H_
