// SPDX-License-Identifier: MIT
// The back ends: each is the contract of ops.h in a namespace of its own, reached by bindings that are the same sources
// compiled for that namespace, so that a call has the same place in all their tables.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "cuda/queue.h"
#include "door_arguments.h"

namespace intaglio {
const intaglio_door::Bindings& bindings();
}
namespace intaglio_cuda {
const intaglio_door::Bindings& bindings();
}
namespace intaglio_emulated {
const intaglio_door::Bindings& bindings();
}

namespace intaglio_door {

// Whom a door asks for memory that its caller's framework owns, until the call is over.
class Memory {
 public:
  virtual ~Memory() = default;
  // Small pieces are cut from one, since frameworks take microseconds for each.
  void* take(size_t bytes);

 private:
  virtual void* allocate(size_t bytes) = 0;

  char* left_ = nullptr;
  size_t bytes_left_ = 0;
};

// What a GPU call needs of its caller, beside its arguments.
struct Caller {
  void* stream = nullptr;
  Memory* memory = nullptr;
};

// Whether this build has kernels for GPUs, how many GPUs there are, and, where none is, what intaglio lacks.
bool has_cuda();
int num_gpus();
std::string why_no_gpus();

// Whether arrays there are the host's: the CPU's, and in builds that emulate a GPU those of a device that a test made up.
bool is_host(DLDevice device);

// Whether CPU arrays are drawn by the GPU's kernels, on the host: only builds for tests can, if INTAGLIO_EMULATE is 1 or
// "deterministic".
bool is_emulating();
// In such a build: whether they are until further notice, so that one process can compare.
void set_emulating(bool emulating);

// Of calls made by this thread: whether sums on a GPU are to have the same bits every time, and whether indices and positions
// there are checked, for which the host waits: by default they are where kernels are emulated, and not on a GPU.
void set_deterministic(bool deterministic);
void set_checked(bool checked);

// Runs call number `index` on the back end of its arguments' device.
void run_binding(size_t index, Arguments& arguments, const Caller& caller);

}  // namespace intaglio_door
