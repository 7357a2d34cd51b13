// SPDX-License-Identifier: MIT
// Stands for NVIDIA's driver (libcuda.so.1) on a machine without a GPU: of the version in DRIVER_VERSION, it finds none.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { kSuccess = 0, kNoDevice = 100 };

static int none(void) {
  return kNoDevice;
}

int cuInit(unsigned flags) {
  (void)flags;
  return kSuccess;
}

int cuDriverGetVersion(int* version) {
  *version = atoi(getenv("DRIVER_VERSION"));
  return kSuccess;
}

// What the runtime asks first for all functions of the driver: since CUDA 12 with a fifth argument.
int cuGetProcAddress_v2(const char* name, void** function, int version, uint64_t flags, int* status) {
  (void)version, (void)flags;
  const struct {
    const char* name;
    void* function;
  } here[] = {{"cuInit", cuInit}, {"cuDriverGetVersion", cuDriverGetVersion}, {"cuGetProcAddress", cuGetProcAddress_v2}};
  *function = none;
  for (unsigned i = 0; i < sizeof here / sizeof *here; ++i)
    if (strcmp(name, here[i].name) == 0) *function = here[i].function;
  if (status) *status = 0;
  return kSuccess;
}

int cuGetProcAddress(const char* name, void** function, int version, uint64_t flags) {
  int status;
  return cuGetProcAddress_v2(name, function, version, flags, &status);
}
