#include "mask2former/data/testing/golden_checksums.h"

#include <fstream>
#include <map>
#include <stdexcept>

#include "mask2former/data/png_chunks.h"

namespace mask2former {
namespace {

constexpr const char* kPaths[] = {"data/testdata/goldens.txt",
                                  "data/testdata/goldens_prepare.txt",
                                  "data/testdata/goldens_tasks.txt"};

std::map<std::string, uint32_t> ReadGoldens() {
  std::map<std::string, uint32_t> goldens;
  for (const char* path : kPaths) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
      const size_t at = line.find(" = ");
      if (at == std::string::npos) continue;
      goldens[line.substr(0, at)] =
          static_cast<uint32_t>(std::stoul(line.substr(at + 3), nullptr, 16));
    }
  }
  return goldens;
}

}  // namespace

uint32_t GoldenChecksum(const std::string& key) {
  static const auto& goldens =
      *new std::map<std::string, uint32_t>(ReadGoldens());
  const auto found = goldens.find(key);
  if (found == goldens.end()) {
    throw std::runtime_error(std::string("no \"") + key +
                             "\" in data/testdata");
  }
  return found->second;
}

uint32_t ChecksumBytes(absl::string_view bytes) { return Crc32(bytes); }

uint32_t Checksum(const cv::Mat& image) {
  const cv::Mat whole = image.isContinuous() ? image : image.clone();
  return Checksum(whole.data, whole.total() * whole.elemSize());
}

}  // namespace mask2former
