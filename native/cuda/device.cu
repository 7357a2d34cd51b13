// SPDX-License-Identifier: MIT
#include "launch.h"

#if !defined(INTAGLIO_EMULATE)

namespace intaglio_queue {

int num_devices() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

int enter_device(int device) {
  int before = 0;
  intaglio::check_cuda(cudaGetDevice(&before));
  if (before != device) intaglio::check_cuda(cudaSetDevice(device));
  return before;
}

void leave_device(int before) noexcept {
  int now = 0;
  if (cudaGetDevice(&now) == cudaSuccess && now != before) (void)cudaSetDevice(before);
}

}  // namespace intaglio_queue

#endif
