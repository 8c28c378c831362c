#include "mask2former/data/official_splits.h"

#include <algorithm>

namespace mask2former {

absl::Span<const OfficialSplit> OfficialSplits() {
  static const auto* const splits = new std::vector<OfficialSplit>{
      {"train",
       2975,
       {"aachen", "bochum", "bremen", "cologne", "darmstadt", "dusseldorf",
        "erfurt", "hamburg", "hanover", "jena", "krefeld", "monchengladbach",
        "strasbourg", "stuttgart", "tubingen", "ulm", "weimar", "zurich"}},
      {"val", 500, {"frankfurt", "lindau", "munster"}},
      {"test",
       1525,
       {"berlin", "bielefeld", "bonn", "leverkusen", "mainz", "munich"}}};
  return *splits;
}

const OfficialSplit* FindOfficialSplit(
    absl::string_view name, const std::vector<CityscapesFrame>& frames) {
  for (const OfficialSplit& split : OfficialSplits()) {
    if (split.name != name) continue;
    for (const CityscapesFrame& frame : frames) {
      if (std::find(split.cities.begin(), split.cities.end(), frame.city) !=
          split.cities.end()) {
        return &split;
      }
    }
  }
  return nullptr;
}

}  // namespace mask2former
