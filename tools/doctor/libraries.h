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

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_DOCTOR_LIBRARIES_H_
