#include "mask2former/model/weights/hugging_face_names.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "mask2former/model/weights/name_rule.h"
#include "mask2former/model/weights/name_tables.h"

namespace mask2former {

absl::StatusOr<std::map<std::string, at::Tensor>> ToHuggingFaceNames(
    const std::map<std::string, at::Tensor>& official) {
  const absl::Span<const NameRule> rules =
      official.count("backbone.patch_embed.proj.weight") != 0
          ? HuggingFaceSwinNames()
          : HuggingFaceResNetNames();
  std::map<std::string, at::Tensor> named;
  std::vector<std::string> unknown;
  for (const auto& [name, tensor] : official) {
    const std::vector<TranslatedName> translated = ToLeft(name, rules);
    if (translated.empty()) unknown.push_back(name);
    for (const TranslatedName& to : translated) {
      if (to.rule->part < 0) {
        named[to.name] = tensor;
      } else if (tensor.dim() == 0 || tensor.size(0) % to.rule->parts != 0) {
        unknown.push_back(name);
      } else {
        const int64_t rows = tensor.size(0) / to.rule->parts;
        named[to.name] = tensor.narrow(0, to.rule->part * rows, rows);
      }
    }
  }
  if (!unknown.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Hugging Face's model has nothing for ", absl::StrJoin(unknown, ", ")));
  }
  return named;
}

}  // namespace mask2former
