// A libcuda.so.1 with two GPUs that only answers questions. With
// FAKE_CUDA_ERROR=n in the environment, cuInit fails with error n.

#include <cstddef>
#include <cstdio>
#include <cstdlib>

extern "C" {

int cuDriverGetVersion(int* version) {
  *version = 12040;
  return 0;
}

int cuInit(unsigned) {
  const char* error = std::getenv("FAKE_CUDA_ERROR");
  return error == nullptr ? 0 : std::atoi(error);
}

int cuGetErrorName(int error, const char** name) {
  *name = "CUDA_ERROR_NO_DEVICE";
  return error == 100 ? 0 : 1;
}

int cuDeviceGetCount(int* count) {
  *count = 2;
  return 0;
}

int cuDeviceGet(int* device, int index) {
  *device = 40 + index;
  return index < 2 ? 0 : 101;
}

int cuDeviceGetName(char* name, int length, int device) {
  std::snprintf(name, length, "Fake %d", device);
  return 0;
}

int cuDeviceGetAttribute(int* value, int attribute, int device) {
  switch (attribute) {
    case 75:
      *value = device == 40 ? 8 : 12;
      return 0;
    case 76:
      *value = device == 40 ? 6 : 0;
      return 0;
    default:
      return 1;
  }
}

int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  *bytes = size_t{24} << (device == 40 ? 30 : 31);
  return 0;
}

}  // extern "C"
