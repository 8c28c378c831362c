#include "mask2former/tools/cuda_emulation/program_image.h"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

namespace mask2former {
namespace {

// By how much the program lies above the addresses in its file. It is the first
// object that the dynamic linker lists.
uintptr_t LoadOffset() {
  uintptr_t offset = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* result) {
        *static_cast<uintptr_t*>(result) = info->dlpi_addr;
        return 1;
      },
      &offset);
  return offset;
}

template <typename T>
std::vector<T> ReadTable(std::ifstream& file, uint64_t offset, uint64_t bytes) {
  std::vector<T> table(bytes / sizeof(T));
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(table.data()),
            static_cast<std::streamsize>(table.size() * sizeof(T)));
  return table;
}

}  // namespace

const ProgramImage& ProgramImage::Get() {
  static const ProgramImage* const image = new ProgramImage;
  return *image;
}

ProgramImage::ProgramImage() {
  const uintptr_t load = LoadOffset();
  std::ifstream file("/proc/self/exe", std::ios::binary);
  const ElfW(Ehdr) header = ReadTable<ElfW(Ehdr)>(file, 0, sizeof(header))[0];
  const auto table = ReadTable<ElfW(Shdr)>(
      file, header.e_shoff, uint64_t{header.e_shnum} * sizeof(ElfW(Shdr)));
  if (!file || header.e_shstrndx >= table.size()) return;
  const auto& names_section = table[header.e_shstrndx];
  std::vector<char> names =
      ReadTable<char>(file, names_section.sh_offset, names_section.sh_size);
  names.push_back('\0');
  for (const auto& section : table) {
    if (section.sh_addr != 0 && section.sh_name < names.size()) {
      sections_[&names[section.sh_name]] = {
          reinterpret_cast<unsigned char*>(load + section.sh_addr),
          section.sh_size};
    }
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= table.size()) {
      continue;
    }
    const auto symbols =
        ReadTable<ElfW(Sym)>(file, section.sh_offset, section.sh_size);
    std::vector<char> strings = ReadTable<char>(
        file, table[section.sh_link].sh_offset, table[section.sh_link].sh_size);
    strings.push_back('\0');
    for (const auto& symbol : symbols) {
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_value != 0 &&
          symbol.st_name < strings.size()) {
        functions_[load + symbol.st_value] = &strings[symbol.st_name];
      }
    }
  }
}

std::vector<ProgramImage::Section> ProgramImage::FindSections(
    const std::string& prefix) const {
  std::vector<Section> found;
  for (const auto& [name, section] : sections_) {
    if (name.compare(0, prefix.size(), prefix) == 0) found.push_back(section);
  }
  return found;
}

std::string ProgramImage::FunctionName(const void* function) const {
  const auto it = functions_.find(reinterpret_cast<uintptr_t>(function));
  if (it == functions_.end()) return "a kernel";
  int status = 0;
  char* const demangled =
      abi::__cxa_demangle(it->second.c_str(), nullptr, nullptr, &status);
  if (demangled == nullptr) return it->second;
  std::string name = demangled;
  std::free(demangled);
  // "void space::(anonymous namespace)::Name<float>(int)" -> "Name<float>"
  int depth = 0;
  size_t begin = 0, end = name.size();
  const std::string anonymous = "(anonymous namespace)";
  for (size_t i = 0; i < name.size(); ++i) {
    if (name.compare(i, anonymous.size(), anonymous) == 0) {
      i += anonymous.size() - 1;
      continue;
    }
    if (name[i] == '<') ++depth;
    if (name[i] == '>') --depth;
    if (depth > 0) continue;
    if (name[i] == '(') {
      end = i;
      break;
    }
    if (name[i] == ':' || name[i] == ' ') begin = i + 1;
  }
  return name.substr(begin, end - begin);
}

std::string ProgramImage::FunctionAt(const void* code) const {
  auto it = functions_.upper_bound(reinterpret_cast<uintptr_t>(code));
  if (it == functions_.begin()) return "a function";
  return FunctionName(reinterpret_cast<const void*>((--it)->first));
}

}  // namespace mask2former
