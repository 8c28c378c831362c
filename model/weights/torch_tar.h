#ifndef MASK2FORMER_MODEL_WEIGHTS_TORCH_TAR_H_
#define MASK2FORMER_MODEL_WEIGHTS_TORCH_TAR_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/element_type.h"
#include "mask2former/model/weights/pickle.h"
#include "mask2former/model/weights/raw_tensor.h"

namespace mask2former {

// A file of torch.save before 0.1.10, as the first ImageNet weights of
// torchvision are ("resnet50-19c8e357.pth"): a tar archive with an object whose
// tensors have numbers, the tensors, and their storages.
class TorchTar {
 public:
  // Returns InvalidArgument for what is malformed, from a big-endian machine,
  // or refers to what is not there. `bytes` and what ReadTar() says of them.
  static absl::StatusOr<TorchTar> Read(absl::string_view bytes);

  const Pickle& pickle() const { return pickle_; }

  // What StorageSource::tensor wants: the tensor of a persistent id, its
  // number as text.
  absl::StatusOr<RawTensor> Find(const PickleValue& id,
                                 std::shared_ptr<const void> owner) const;

 private:
  struct Storage {
    ElementType type;
    absl::string_view bytes;
  };
  struct Tensor {
    Storage storage;
    std::vector<int64_t> shape, strides;
    int64_t offset = 0;
  };

  absl::Status ReadStorages(absl::string_view file);
  absl::Status ReadTensors(absl::string_view file);

  Pickle pickle_;
  std::map<int64_t, Storage> storages_;
  std::map<int64_t, Tensor> tensors_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_TORCH_TAR_H_
