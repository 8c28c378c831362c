#include "mask2former/model/weights/pickle_value.h"

namespace mask2former {

const PickleValue* PickleValue::Find(absl::string_view key) const {
  if (kind != Kind::kDict) return nullptr;
  for (size_t i = items.size(); i >= 2; i -= 2) {
    if (items[i - 2]->is(Kind::kString) && items[i - 2]->text == key) {
      return items[i - 1];
    }
  }
  return nullptr;
}

}  // namespace mask2former
