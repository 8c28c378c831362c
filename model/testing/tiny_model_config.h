#ifndef MASK2FORMER_MODEL_TESTING_TINY_MODEL_CONFIG_H_
#define MASK2FORMER_MODEL_TESTING_TINY_MODEL_CONFIG_H_

#include "mask2former/model/model_config.pb.h"

namespace mask2former {

// A model with every piece of the paper's, so small that a test can train it:
// a narrow ResNet-18 with batch normalisation that learns, one layer of the
// pixel decoder, two of the transformer decoder, 6 queries, 19 classes.
ModelConfig TinyModelConfig();

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_TESTING_TINY_MODEL_CONFIG_H_
