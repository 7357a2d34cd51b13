// SPDX-License-Identifier: MIT
// Memory of the emulated GPU, which lives as long as a call: the host can touch it only while it fetches from it, and kernels
// are given pointers to nothing else. Fresh memory is poisoned, so that what is read before it is written shows; under
// AddressSanitizer what lies between two pieces is too.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace intaglio_emulate {

class DeviceMemory {
 public:
  DeviceMemory() : before_(current()) {
    base_ = (char*)mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base_ == MAP_FAILED) throw std::bad_alloc();
    current() = this;
  }
  ~DeviceMemory() {
    open();
    unpoison(base_, used_);
    munmap(base_, kBytes);
    current() = before_;
  }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  // That of the call that this thread makes.
  static DeviceMemory*& current() {
    static thread_local DeviceMemory* memory = nullptr;
    return memory;
  }

  char* take(size_t bytes) {
    const size_t begin = used_ + kGap;
    if (bytes > kBytes - begin - kPage) throw std::bad_alloc();
    used_ = begin + (bytes + kAlignment - 1) / kAlignment * kAlignment;
    open();
    std::memset(base_ + begin, 0xA5, bytes);
    poison(base_ + begin - kGap, kGap);
    poison(base_ + begin + bytes, used_ - begin - bytes);
    close();
    return base_ + begin;
  }

  void open() { protect(PROT_READ | PROT_WRITE); }
  void close() { protect(PROT_NONE); }

  bool holds(uint64_t address) const { return address - (uint64_t)base_ <= used_; }  // pieces may be empty

 private:
  static constexpr size_t kBytes = (size_t)1 << 36, kAlignment = 64, kGap = 64, kPage = 4096;

  void protect(int access) {
    if (mprotect(base_, (used_ + kPage - 1) / kPage * kPage, access)) {
      std::perror("emulated GPU: mprotect");
      std::abort();
    }
  }
#if defined(__SANITIZE_ADDRESS__)
  static void poison(void* at, size_t bytes) { ASAN_POISON_MEMORY_REGION(at, bytes); }
  static void unpoison(void* at, size_t bytes) { ASAN_UNPOISON_MEMORY_REGION(at, bytes); }
#else
  static void poison(void*, size_t) {}
  static void unpoison(void*, size_t) {}
#endif

  DeviceMemory* before_;
  char* base_;
  size_t used_ = 0;
};

// While one lives the memory can be touched.
struct Opened {
  Opened() { DeviceMemory::current()->open(); }
  ~Opened() { DeviceMemory::current()->close(); }
};

// Heaps and stacks lie above it.
constexpr uint64_t kLeastAddress = (uint64_t)1 << 44;

// What is passed to a kernel is copied, and may point to the device's memory alone.
template <class Body>
void check_pointers(const Body* body) {
  static_assert(std::is_trivially_copyable_v<Body>);
  Body copy = *body;
  __builtin_clear_padding(&copy);
  const long page = sysconf(_SC_PAGESIZE);
  for (size_t at = 0; at + 8 <= sizeof(Body); at += 8) {
    uint64_t word;
    std::memcpy(&word, (const char*)&copy + at, 8);
    unsigned char is_there;
    if (word < kLeastAddress || mincore((void*)(word / page * page), 1, &is_there)) continue;
    if (DeviceMemory::current()->holds(word)) continue;
    std::fprintf(stderr, "emulated GPU: a kernel is given a pointer to the host's memory: %s\n", __PRETTY_FUNCTION__);
    std::abort();
  }
}

// The time of a launch.
class Kernel {
 public:
  template <class Body>
  explicit Kernel(const Body* body) {
    check_pointers(body);
  }

 private:
  Opened opened_;
};

}  // namespace intaglio_emulate
