// SPDX-License-Identifier: MIT
#include "door_backends.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <optional>

#if defined(INTAGLIO_HAS_EMULATION)
#include <emulated_arguments.h>
#endif

namespace intaglio_door {
namespace {

thread_local bool is_deterministic = false;
thread_local std::optional<bool> is_checked;
std::atomic<bool> is_emulation_paused{false};

[[maybe_unused]] intaglio_queue::Queue queue_of(const Caller& caller) {
  intaglio_queue::Queue queue;
  queue.stream = caller.stream;
  queue.deterministic = is_deterministic, queue.checked = is_checked.value_or(false);
  queue.self = caller.memory;
  queue.take = [](void* self, size_t bytes) { return ((Memory*)self)->take(bytes); };
  return queue;
}

#if defined(INTAGLIO_HAS_CUDA)
// Makes a GPU the current one of this thread while it lives.
class OnGpu {
 public:
  explicit OnGpu(int device) : before_(intaglio_queue::enter_device(device)) {}
  ~OnGpu() { intaglio_queue::leave_device(before_); }

 private:
  int before_;
};

void run_on_gpu(size_t index, Arguments& arguments, const Caller& caller) {
  if (!caller.memory) throw std::invalid_argument("got arrays on a GPU of a framework that lends no memory there");
  OnGpu here(arguments.device().device_id);
  intaglio_queue::Queue queue = queue_of(caller);
  intaglio_queue::Serving serving(queue);
  intaglio_cuda::bindings()[index].run(arguments);
}
#else
void run_on_gpu(size_t, Arguments&, const Caller&) {
  throw std::invalid_argument("got arrays on a GPU, but this intaglio " + why_no_gpus());
}
#endif

#if defined(INTAGLIO_HAS_EMULATION)
enum class Emulation { kNone, kFast, kDeterministic };

Emulation emulation() {
  static const Emulation chosen = [] {
    const char* wish = std::getenv("INTAGLIO_EMULATE");
    if (!wish) return Emulation::kNone;
    if (std::strcmp(wish, "deterministic") == 0) return Emulation::kDeterministic;
    return std::strcmp(wish, "1") == 0 ? Emulation::kFast : Emulation::kNone;
  }();
  return chosen;
}

void run_on_cpu(size_t index, Arguments& arguments) {
  if (!is_emulating()) return intaglio::bindings()[index].run(arguments);
  intaglio_emulate::DeviceMemory memory;
  intaglio_emulate::Moved moved(arguments, memory);
  intaglio_queue::Queue queue = queue_of({});
  queue.self = &memory;
  queue.take = [](void* self, size_t bytes) { return (void*)((intaglio_emulate::DeviceMemory*)self)->take(bytes); };
  queue.checked = is_checked.value_or(true);
  if (emulation() == Emulation::kDeterministic) queue.deterministic = true;
  intaglio_queue::Serving serving(queue);
  intaglio_emulated::bindings()[index].run(arguments);
}
#else
void run_on_cpu(size_t index, Arguments& arguments) {
  intaglio::bindings()[index].run(arguments);
}
#endif

}  // namespace

void* Memory::take(size_t bytes) {
  constexpr size_t kSmall = 1 << 16, kChunk = 1 << 19, kAlignment = 64;
  if (bytes > kSmall) return allocate(bytes);
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (bytes > bytes_left_) left_ = (char*)allocate(kChunk), bytes_left_ = kChunk;
  char* piece = left_;
  left_ += bytes, bytes_left_ -= bytes;
  return piece;
}

bool has_cuda() {
#if defined(INTAGLIO_HAS_CUDA)
  return true;
#else
  return false;
#endif
}

int num_gpus() {
#if defined(INTAGLIO_HAS_CUDA)
  return intaglio_queue::num_devices();
#else
  return 0;
#endif
}

std::string why_no_gpus() {
#if defined(INTAGLIO_HAS_CUDA)
  return intaglio_queue::why_no_devices();
#else
  return "is built without kernels for GPUs: build it where nvcc is";
#endif
}

bool is_host(DLDevice device) {
#if defined(INTAGLIO_HAS_EMULATION)
  if (device.device_type == kDLExtDev) return true;
#endif
  return device.device_type == kDLCPU;
}

bool is_emulating() {
#if defined(INTAGLIO_HAS_EMULATION)
  return emulation() != Emulation::kNone && !is_emulation_paused;
#else
  return false;
#endif
}

void set_emulating(bool emulating) {
  is_emulation_paused = !emulating;
}

void set_deterministic(bool deterministic) {
  is_deterministic = deterministic;
}

void set_checked(bool checked) {
  is_checked = checked;
}

void run_binding(size_t index, Arguments& arguments, const Caller& caller) {
  if (is_host(arguments.device())) return run_on_cpu(index, arguments);
  run_on_gpu(index, arguments, caller);
}

}  // namespace intaglio_door
