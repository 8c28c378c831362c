#ifndef MASK2FORMER_EVAL_TESTING_WORKED_PICTURES_H_
#define MASK2FORMER_EVAL_TESTING_WORKED_PICTURES_H_

#include <vector>

#include "mask2former/eval/task_evaluation.h"

namespace mask2former {

// The worked example as a model with 19 classes would have given it: A and B
// with the predictions of all three tasks. The picture is gray; its file would
// be "pictures/{name}_leftImg8bit.png".
std::vector<EvaluatedPicture> WorkedPictures();

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_TESTING_WORKED_PICTURES_H_
