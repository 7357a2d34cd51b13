// SPDX-License-Identifier: MIT
// Whose call this is: where it runs, in which order, and from whom it gets memory. A door makes one for the time of a call;
// the ops of this back end find it through the thread they run on, so that their contract (ops.h) is that of every back end.
#pragma once
#include <cstddef>
#include <string>

// One for all back ends, which are namespaces of their own.
namespace intaglio_queue {

struct Queue {
  void* stream = nullptr;      // the framework's current one
  bool deterministic = false;  // sums must not depend on the order of threads
  bool checked = false;        // values of inputs are looked at before anything is written, which waits for the device
  // Memory of the caller's framework, aligned to 64 bytes, until the work of this call is done.
  void* (*take)(void* self, size_t bytes) = nullptr;
  void* self = nullptr;
};

inline thread_local const Queue* current = nullptr;

// Makes a queue the current one while it lives.
class Serving {
 public:
  explicit Serving(const Queue& queue) : before_(current) { current = &queue; }
  ~Serving() { current = before_; }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

 private:
  const Queue* before_;
};

// GPUs that can be used; 0 where there is no driver.
int num_devices();
// What is in the way of using one: "intaglio ...".
std::string why_no_devices();

// Makes a GPU the current one of this thread; returns which it was before.
int enter_device(int device);
void leave_device(int before) noexcept;

}  // namespace intaglio_queue
