#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_PROGRAM_IMAGE_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_PROGRAM_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mask2former {

// What the running program's ELF file says about itself.
class ProgramImage {
 public:
  struct Section {
    unsigned char* begin;
    size_t bytes;
  };

  // Of the running program; read once.
  static const ProgramImage& Get();

  // The sections in memory whose names begin so.
  std::vector<Section> FindSections(const std::string& prefix) const;

  // Demangled, without parameters; "a kernel" if the program was stripped.
  std::string FunctionName(const void* function) const;

  // The same of the function that an address of code lies in.
  std::string FunctionAt(const void* code) const;

 private:
  ProgramImage();

  std::map<std::string, Section> sections_;
  std::map<uintptr_t, std::string> functions_;  // By where they begin.
};

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_PROGRAM_IMAGE_H_
