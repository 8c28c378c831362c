// Reads and decodes PNG files and does nothing with them: the time that any
// program that scores them needs at least. One path per line on standard input.
// With OpenCV's decoder, or ("own") with the one that //eval:score has.
//
//   find results -name '*.png' | decode [threads [opencv|own]]

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/common/file_io.h"
#include "mask2former/data/png_chunks.h"
#include "mask2former/data/png_decoder.h"

namespace mask2former {
namespace {

bool Decode(const std::string& path, bool own) {
  absl::StatusOr<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return false;
  if (own) return CheckPngChunks(*bytes).ok() && DecodeLabelPng(*bytes).ok();
  const cv::Mat buffer(1, static_cast<int>(bytes->size()), CV_8UC1,
                       bytes->data());
  return !cv::imdecode(buffer, cv::IMREAD_UNCHANGED).empty();
}

// How many of the files are no images.
size_t DecodeAll(const std::vector<std::string>& paths, size_t threads,
                 bool own) {
  std::atomic<size_t> next = 0, failed = 0;
  const auto work = [&] {
    for (size_t i = next++; i < paths.size(); i = next++) {
      failed += Decode(paths[i], own) ? 0 : 1;
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
  return failed;
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  // As //eval:score does.
  mallopt(M_MMAP_THRESHOLD, 1 << 26);
  mallopt(M_TRIM_THRESHOLD, 1 << 28);
  std::vector<std::string> paths;
  for (std::string path; std::getline(std::cin, path);) paths.push_back(path);
  const size_t threads =
      argc > 1 ? std::strtoul(argv[1], nullptr, 10)
               : std::max(1u, std::thread::hardware_concurrency());
  const bool own = argc > 2 && std::string(argv[2]) == "own";
  const size_t failed = mask2former::DecodeAll(paths, threads, own);
  if (failed > 0) std::cerr << "error: " << failed << " are no images\n";
  return failed > 0 ? 1 : 0;
}
