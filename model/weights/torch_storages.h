#ifndef MASK2FORMER_MODEL_WEIGHTS_TORCH_STORAGES_H_
#define MASK2FORMER_MODEL_WEIGHTS_TORCH_STORAGES_H_

// The containers of torch.save: where the pickle is and where its storages are.

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/model/weights/pickle.h"
#include "mask2former/model/weights/pickled_tensors.h"

namespace mask2former {

struct TorchFile {
  Pickle pickle;
  std::map<std::string, absl::string_view> storages;  // By key.

  // What StorageSource::find wants.
  absl::StatusOr<PickledStorage> Find(const PickleValue& id) const;
};

// The zip archive of torch.save since 1.6: NAME/data.pkl, NAME/data/KEY, ..
//
// Returns InvalidArgument for files of TorchScript (whose code would have to be
// run), from big-endian machines, and as ReadStoredZip() and ReadPickle().
absl::StatusOr<TorchFile> ReadTorchZip(absl::string_view bytes);

// Whether `bytes` start as torch.save wrote before 1.6, and still does on wish.
bool IsLegacyTorch(absl::string_view bytes);

// That form: four pickles (a number, a version, the machine's word sizes, the
// object), one with the storages' keys, then for each of them a length and its
// contents.
absl::StatusOr<TorchFile> ReadLegacyTorch(absl::string_view bytes);

// StorageSource::load: a storage that was saved alone, in the legacy form.
absl::StatusOr<PickledStorage> LoadStorage(absl::string_view bytes);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_WEIGHTS_TORCH_STORAGES_H_
