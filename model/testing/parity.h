#ifndef MASK2FORMER_MODEL_TESTING_PARITY_H_
#define MASK2FORMER_MODEL_TESTING_PARITY_H_

// Whole models of published size and what transformers and the papers' formulas
// make of them: tools/goldens/parity.py.

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "mask2former/common/safetensors.h"
#include "mask2former/model/segmentor.h"

namespace mask2former {

struct ParityCase {
  std::string name;      // "r50", "swin_t"
  std::string backbone;  // Text of a BackboneConfig.
  std::string salt;      // Of FillWithReferenceValues().
};

const std::vector<ParityCase>& ParityCases();

// In evaluation mode, with its reference values; made once per program.
const std::shared_ptr<Segmentor>& ParityModel(const ParityCase& parity);

// The two images of the golden file.
PreparedImages ParityImages(const Segmentor& segmentor);

const SafetensorsFile& ParityGolden(const ParityCase& parity);

// Whether the elements of `actual` that the golden file has under `name` are
// within `tolerance`; the sizes must be such that it has just as many.
testing::AssertionResult SamplesAreNear(const ParityCase& parity,
                                        const std::string& name,
                                        const at::Tensor& actual,
                                        double tolerance);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_TESTING_PARITY_H_
