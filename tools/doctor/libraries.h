#ifndef MASK2FORMER_TOOLS_DOCTOR_LIBRARIES_H_
#define MASK2FORMER_TOOLS_DOCTOR_LIBRARIES_H_

#include <string>
#include <vector>

namespace mask2former {

// Versions compiled against and versions loaded, "3.21.12"; empty if unknown.
std::string ProtobufHeaderVersion();
std::string ProtobufLibraryVersion();
std::string OpenCvHeaderVersion();
std::string OpenCvLibraryVersion();

// The shared libraries of this process whose file name starts with `prefix`,
// links followed.
std::vector<std::string> LoadedLibraries(const std::string& prefix);

// "0.6.0" of "/usr/lib/libglog.so.0.6.0", for libraries that do not tell their
// version (glog); empty where the name has none.
std::string VersionInFileName(const std::string& path);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_DOCTOR_LIBRARIES_H_
