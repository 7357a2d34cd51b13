// SPDX-License-Identifier: MIT
#include "buffers.h"

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace intaglio {
namespace {

constexpr size_t kGranularity = 64 << 10;
constexpr size_t kHugePage = 2 << 20;

constexpr size_t kPage = 4096, kStagger = 256;

// A hint: touching large buffers page by page costs more than drawing.
void prefer_huge_pages(void* begin, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (bytes >= kHugePage) madvise(begin, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#else
  (void)begin, (void)bytes;
#endif
}

// Buffers at one offset in their pages get in each other's way: a load then waits for an unrelated store. So each begins a bit
// further into its first page than the one before.
void* allocate(size_t size) {
  static std::atomic<size_t> count{0};
  const size_t alignment = size >= kHugePage ? kHugePage : kPage, room = size + kPage;
  char* base = (char*)std::aligned_alloc(alignment, (room + alignment - 1) / alignment * alignment);
  if (!base) throw std::bad_alloc();
  prefer_huge_pages(base, size);
  return base + count++ * kStagger % kPage;
}

void deallocate(void* buffer) {
  std::free((void*)((uintptr_t)buffer & ~(uintptr_t)(kPage - 1)));
}

size_t rounded(size_t bytes) {
  return (bytes + kGranularity - 1) / kGranularity * kGranularity;
}

struct Shelf {
  std::mutex mutex;
  std::unordered_map<size_t, std::vector<void*>> kept;  // by size
  size_t kept_bytes = 0;

  void clear() {
    for (auto& [size, buffers] : kept)
      for (void* buffer : buffers) deallocate(buffer);
    kept.clear();
    kept_bytes = 0;
  }
};

// Behind a pointer, like the thread pool's state: a forked child begins with an empty shelf and an unlocked mutex.
Shelf* shelf = nullptr;

Shelf& the_shelf() {
  static bool once = [] {
    shelf = new Shelf;
    pthread_atfork(nullptr, nullptr, [] { shelf = new Shelf; });
    return true;
  }();
  (void)once;
  return *shelf;
}

}  // namespace

void* take_buffer(size_t bytes) {
  size_t size = rounded(bytes);
  Shelf& s = the_shelf();
  {
    std::lock_guard<std::mutex> lock(s.mutex);
    auto found = s.kept.find(size);
    if (found != s.kept.end() && !found->second.empty()) {
      void* buffer = found->second.back();
      found->second.pop_back();
      s.kept_bytes -= size;
      return buffer;
    }
  }
  return allocate(size);
}

void give_buffer(void* buffer, size_t bytes) noexcept {
  size_t size = rounded(bytes);
  Shelf& s = the_shelf();
  std::lock_guard<std::mutex> lock(s.mutex);
  if (s.kept_bytes + size > kMostKeptBytes) s.clear();  // sizes of earlier work, most likely
  if (size > kMostKeptBytes) return deallocate(buffer);
  s.kept[size].push_back(buffer);
  s.kept_bytes += size;
}

}  // namespace intaglio
