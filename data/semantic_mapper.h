#ifndef MASK2FORMER_DATA_SEMANTIC_MAPPER_H_
#define MASK2FORMER_DATA_SEMANTIC_MAPPER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/data/sample_mapper.h"

namespace mask2former {

// The training transforms of the semantic task: resize to a random size, crop,
// distort colours, mirror, pad, one mask per present class.
//
// Random numbers are drawn in this order: index of the size; upper and left
// edge of the crop, for each try; colours as DrawColorJitter(); mirroring.
//
// Resizing and cropping the picture are one step: only the pixels of the crop
// are computed.
//
// Source: Cheng et al., "Masked-attention Mask Transformer for Universal Image
// Segmentation", CVPR 2022, section 4 and the published training settings.
class SemanticMapper : public SampleMapper {
 public:
  // Returns InvalidArgument, naming the field, if a value of `config` is out of
  // range.
  static absl::StatusOr<std::unique_ptr<SemanticMapper>> Create(
      const InputConfig& config, int64_t num_classes);

  // Returns InvalidArgument, naming the picture, if the crop does not fit into
  // the padded size.
  absl::StatusOr<TrainingExample> Map(Sample sample,
                                      SampleRandom& random) const override;

  // min_size_train, or the official list.
  const std::vector<int64_t>& sizes() const { return sizes_; }

 private:
  SemanticMapper(const InputConfig& config, std::vector<int64_t> sizes,
                 int64_t num_classes);

  InputConfig config_;
  std::vector<int64_t> sizes_;
  int64_t num_classes_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SEMANTIC_MAPPER_H_
