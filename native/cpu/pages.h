// SPDX-License-Identifier: MIT
// Large outputs are fresh memory at every call, and touching it page by page costs more than drawing: ask for huge pages first.
#pragma once
#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace intaglio {

// A hint, for buffers that are about to be written whole; results and layout do not depend on it.
template <class T>
void prefer_huge_pages(T* begin, int64_t count) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr uintptr_t kHugePage = 2 << 20;
  uintptr_t first = ((uintptr_t)begin + kHugePage - 1) & ~(kHugePage - 1);
  uintptr_t last = (uintptr_t)(begin + count) & ~(kHugePage - 1);
  if (begin && last >= first + kHugePage) madvise((void*)first, last - first, MADV_HUGEPAGE);
#else
  (void)begin, (void)count;
#endif
}

}  // namespace intaglio
