#include "mask2former/eval/worst_pictures.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mask2former {

bool WorstPictures::Wants(double score) const {
  if (std::isnan(score) || count_ == 0) return false;
  return pictures_.size() < count_ || score < pictures_.back().score;
}

void WorstPictures::Add(WorstPicture picture) {
  if (!Wants(picture.score)) return;
  if (pictures_.size() == count_) pictures_.pop_back();
  const auto place =
      std::upper_bound(pictures_.begin(), pictures_.end(), picture,
                       [](const WorstPicture& a, const WorstPicture& b) {
                         return a.score < b.score;
                       });
  pictures_.insert(place, std::move(picture));
}

std::vector<WorstPicture> WorstPictures::Take() { return std::move(pictures_); }

}  // namespace mask2former
