#include "mask2former/tools/doctor/libraries.h"

#include <google/protobuf/stubs/common.h>
#include <google/protobuf/stubs/logging.h>
#include <link.h>

#include <climits>
#include <cstdlib>
#include <exception>
#include <opencv2/core/utility.hpp>
#include <opencv2/core/version.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mask2former {
namespace {

struct Search {
  std::string prefix;
  std::vector<std::string> found;
};

int Collect(dl_phdr_info* info, size_t, void* argument) {
  Search& search = *static_cast<Search*>(argument);
  const std::string path = info->dlpi_name == nullptr ? "" : info->dlpi_name;
  if (absl::StartsWith(path.substr(path.rfind('/') + 1), search.prefix)) {
    char* const real = realpath(path.c_str(), nullptr);
    search.found.push_back(real == nullptr ? path : real);
    std::free(real);
  }
  return 0;
}

// "3.21.12" of 3021012.
std::string ProtobufVersion(int version) {
  return absl::StrCat(version / 1000000, ".", version / 1000 % 1000, ".",
                      version % 1000);
}

}  // namespace

std::string ProtobufHeaderVersion() {
  return ProtobufVersion(GOOGLE_PROTOBUF_VERSION);
}

std::string ProtobufLibraryVersion() {
#if GOOGLE_PROTOBUF_VERSION < 4000000
  // The library tells its version only in the exception it throws when it is
  // too old for a program, so ask for one from the future.
  google::protobuf::LogHandler* const logger =
      google::protobuf::SetLogHandler(nullptr);
  std::string message;
  try {
    google::protobuf::internal::VerifyVersion(GOOGLE_PROTOBUF_VERSION, INT_MAX,
                                              __FILE__);
  } catch (const std::exception& error) {
    message = error.what();
  }
  google::protobuf::SetLogHandler(logger);
  constexpr char kBefore[] = "installed version is ";
  const size_t begin = message.find(kBefore);
  if (begin == std::string::npos) return "";
  message.erase(0, begin + sizeof(kBefore) - 1);
  // Ends in "." or ".  Please ...".
  message.erase(message.find_first_not_of("0123456789."));
  while (absl::EndsWith(message, ".")) message.pop_back();
  return message;
#else
  return "";  // Later versions end a program that does not fit at its start.
#endif
}

std::string OpenCvHeaderVersion() { return CV_VERSION; }

std::string OpenCvLibraryVersion() { return cv::getVersionString(); }

std::vector<std::string> LoadedLibraries(const std::string& prefix) {
  Search search{prefix, {}};
  dl_iterate_phdr(Collect, &search);
  return search.found;
}

std::string VersionInFileName(const std::string& path) {
  constexpr char kBefore[] = ".so.";
  const size_t begin = path.rfind(kBefore);
  if (begin == std::string::npos) return "";
  const std::string version = path.substr(begin + sizeof(kBefore) - 1);
  return version.find_first_not_of("0123456789.") == std::string::npos ? version
                                                                       : "";
}

}  // namespace mask2former
