#ifndef MASK2FORMER_EVAL_WORST_PICTURES_H_
#define MASK2FORMER_EVAL_WORST_PICTURES_H_

#include <cstddef>
#include <vector>

#include "mask2former/eval/evaluation.h"

namespace mask2former {

// Keeps the pictures with the lowest scores, so that only these need to be
// drawn.
class WorstPictures {
 public:
  explicit WorstPictures(size_t count) : count_(count) {}

  // Whether a picture of this score would be kept. NaN never is: it has
  // nothing to be judged by. Of equal scores the earlier one stays.
  bool Wants(double score) const;

  void Add(WorstPicture picture);

  // Lowest score first.
  std::vector<WorstPicture> Take();

 private:
  const size_t count_;
  std::vector<WorstPicture> pictures_;  // Lowest score first.
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_WORST_PICTURES_H_
