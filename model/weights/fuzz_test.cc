// Feeds the readers ten thousand damaged files, under AddressSanitizer: none
// may crash them, make them read beside the file, throw, or take more memory
// than its size allows.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/safetensors_header.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/model/weights/official_names.h"
#include "mask2former/model/weights/pickle.h"
#include "mask2former/model/weights/pickled_tensors.h"
#include "mask2former/model/weights/stored_zip.h"
#include "mask2former/model/weights/tar_archive.h"
#include "mask2former/model/weights/weight_file.h"

// Of the sanitizers' runtime, whose header Debian leaves out.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void*, size_t),
    void (*on_free)(const volatile void*));
size_t __sanitizer_get_allocated_size(const volatile void* memory);
}

namespace mask2former {
namespace {

constexpr int kInputs = 10000;
// What weight_file.h promises.
constexpr int64_t kBound = 1 << 20;
constexpr int64_t kBoundPerByte = 512;

std::atomic<int64_t> live_bytes{0};
std::atomic<int64_t> peak_bytes{0};

void OnMalloc(const volatile void*, size_t size) {
  const int64_t live = live_bytes += size;
  if (live > peak_bytes) peak_bytes = live;
}

void OnFree(const volatile void* memory) {
  if (memory != nullptr) {
    live_bytes -=
        __sanitizer_get_allocated_size(const_cast<const void*>(memory));
  }
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const char* const name :
       {"expected.safetensors", "numpy_protocol2.pkl", "numpy_protocol3.pkl",
        "numpy_protocol4.pkl", "numpy_protocol5.pkl", "torch.pth",
        "torch_legacy.pth", "torch_tar.pth", "torch_tensors.pkl",
        "shards/model-00001-of-00002.safetensors"}) {
    const auto bytes = ReadFile(std::string("model/weights/testdata/") + name);
    EXPECT_THAT(bytes, IsOk());
    seeds.push_back(*bytes);
  }
  return seeds;
}

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  std::string Mutate(std::string bytes, const std::string& other) {
    const int64_t changes = Draw(1, 3);
    for (int64_t i = 0; i < changes && !bytes.empty(); ++i) {
      Change(bytes, other);
    }
    return bytes;
  }

  int64_t Draw(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }

 private:
  void Change(std::string& bytes, const std::string& other) {
    // The first bytes tell the format: they stay most of the time.
    const int64_t first = Draw(0, 15) == 0 ? 0 : 4;
    const int64_t last = static_cast<int64_t>(bytes.size()) - 1;
    if (first > last) return;
    const int64_t at = Draw(first, last);
    const int64_t size = Draw(1, std::min<int64_t>(64, last - at + 1));
    switch (Draw(0, 7)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << Draw(0, 7)));
        break;
      case 1:
        bytes[at] = static_cast<char>(Draw(0, 255));
        break;
      case 2:
        bytes.erase(at, size);
        break;
      case 3:
        bytes.insert(at, bytes.substr(Draw(0, last), size));
        break;
      case 4:
        bytes.resize(at);
        break;
      case 5:
        bytes.insert(at, other.substr(Draw(0, other.size() - 1), size));
        break;
      case 6: {  // A number somewhere: a length, an offset, a size.
        constexpr uint64_t kNumbers[] = {
            0,          1,          0x7f,       0xff,       0xffff, 0x7fffffff,
            0x80000000, 0xffffffff, 1ull << 62, 1ull << 63, ~0ull,  ~0ull - 7};
        const uint64_t number = kNumbers[Draw(0, 11)];
        const int64_t width = int64_t{1} << Draw(0, 3);
        std::memcpy(&bytes[at], &number, std::min(width, last - at + 1));
        break;
      }
      case 7: {  // An opcode or a bracket of the format.
        constexpr absl::string_view kWords[] = {
            "(",    ")", "}", "]", "t",     "u",     "s",    "R",
            "b",    "Q", "0", "2", "h\x01", "q\x01", "\x94", "\x85",
            "\x93", "{", "[", ",", "\"",    "-",     "1e99"};
        const absl::string_view word = kWords[Draw(0, 22)];
        bytes.replace(at, 1, word.data(), word.size());
        break;
      }
    }
  }

  std::mt19937_64 random_;
};

// Looks at everything that a reader gives back. Whether it read the file.
bool ReadAll(const std::string& bytes) {
  // A block of its own, without a byte to spare, that knows its end.
  const auto owner =
      std::make_shared<std::vector<char>>(bytes.begin(), bytes.end());
  owner->shrink_to_fit();
  const absl::string_view view(owner->data(), owner->size());
  // As they are called by others than ReadWeightBytes().
  (void)ReadStoredZip(view).ok();
  (void)ReadTar(view).ok();
  (void)ParseSafetensors(view).ok();
  (void)ReadPickle(view, WeightGlobals()).ok();
  const auto file = ReadWeightBytes(view, owner);
  if (!file.ok()) {
    EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(file.status().message().empty());
    return false;
  }
  for (const auto& [name, tensor] : file->tensors) {
    EXPECT_EQ(ContiguousBytes(tensor).size(), tensor.num_bytes()) << name;
  }
  (void)ToOfficialNames(*file).ok();
  return true;
}

// The most memory that reading `bytes` took at a time, less what was taken
// before.
int64_t MemoryFor(const std::string& bytes, bool& read) {
  static const int installed =
      __sanitizer_install_malloc_and_free_hooks(OnMalloc, OnFree);
  EXPECT_GT(installed, 0);
  const int64_t before = live_bytes;
  peak_bytes = before;
  read = ReadAll(bytes);
  return peak_bytes - before;
}

// Files made to grow: a little of what takes the most memory, over and over.
TEST(FuzzTest, NoFileGrowsBeyondTheBound) {
  const auto repeated = [](absl::string_view start, absl::string_view piece,
                           absl::string_view end) {
    std::string bytes(start);
    while (bytes.size() < 200000) bytes.append(piece.data(), piece.size());
    return bytes.append(end.data(), end.size());
  };
  const absl::string_view pickle = "\x80\x02";
  const std::string header("\x40\x0d\x03\0\0\0\0\0", 8);  // 200000 bytes.
  std::vector<std::string> files;
  for (const absl::string_view piece :
       {absl::string_view("}"), absl::string_view("]"), absl::string_view(")"),
        absl::string_view("("), absl::string_view("N"),
        absl::string_view("N\x94"), absl::string_view("N\x85"),
        absl::string_view("N\x85Q"), absl::string_view("(N"),
        absl::string_view("U\0", 2), absl::string_view("}NNs")}) {
    files.push_back(repeated(pickle, piece, "."));
  }
  files.push_back(repeated("\x80\x02]", "Na", "."));
  files.push_back(repeated(header + "{\"a\":", "[", ""));
  files.push_back(repeated(header + "{\"a\":", "{\"\":", ""));
  files.push_back(repeated(header + "{\"a\":[", "0,", ""));
  files.push_back(repeated(header + "{", "\"\":0,", ""));
  for (const std::string& bytes : files) {
    bool read = false;
    const int64_t taken = MemoryFor(bytes, read);
    EXPECT_LE(taken, kBound + kBoundPerByte * bytes.size())
        << bytes.substr(0, 30);
  }
}

TEST(FuzzTest, NoFileDoesHarm) {
  const std::vector<std::string> seeds = Seeds();
  for (const std::string& seed : seeds) {
    EXPECT_TRUE(ReadAll(seed));  // Undamaged; and what is made once is made.
  }
  int read = 0;
  double worst = 0;
  for (int i = 0; i < kInputs; ++i) {
    Mutator mutator(i);
    const std::string& other = seeds[mutator.Draw(0, seeds.size() - 1)];
    const std::string bytes = mutator.Mutate(seeds[i % seeds.size()], other);
    int64_t taken = 0;
    try {
      bool fits = false;
      taken = MemoryFor(bytes, fits);
      read += fits ? 1 : 0;
    } catch (const std::exception& error) {
      FAIL() << "input " << i << " threw " << error.what();
    }
    const int64_t size = static_cast<int64_t>(bytes.size());
    ASSERT_LE(taken, kBound + kBoundPerByte * size) << "input " << i;
    if (size > 500) worst = std::max(worst, 1.0 * taken / size);
  }
  std::printf("%d files read, %d refused; at most %.0f bytes per byte\n", read,
              kInputs - read, worst);
  // Damage to the numbers of a tensor is no damage to the file.
  EXPECT_GT(read, kInputs / 20);
  EXPECT_LT(read, kInputs * 19 / 20);
}

}  // namespace
}  // namespace mask2former
