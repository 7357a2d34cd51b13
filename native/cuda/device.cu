// SPDX-License-Identifier: MIT
#include "launch.h"

#if !defined(INTAGLIO_EMULATE)

namespace intaglio_queue {

int num_devices() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

std::string why_no_devices() {
  int driver = 0, built = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) return "finds no driver for GPUs";
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaErrorInsufficientDriver)
    return "finds no GPU" + (error == cudaSuccess ? "" : std::string(": ") + cudaGetErrorString(error));
  const auto text = [](int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); };
  (void)cudaRuntimeGetVersion(&built);
  return "is built with CUDA " + text(built) + ", and the driver is of CUDA " + text(driver) +
         ": update the driver, or build with an nvcc that is not newer";
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
