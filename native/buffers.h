// SPDX-License-Identifier: MIT
// Memory of large outputs, recycled. The pages of a fresh output cost as much as drawing into it, and malloc hands large
// buffers back to the system: an output of this kind returns here when the last array on it dies.
#pragma once
#include <cstddef>

namespace intaglio {

// Uninitialized, aligned to 64 bytes; huge pages where it is large.
void* take_buffer(size_t bytes);

// From any thread. What is kept for later stays below kMostKeptBytes.
void give_buffer(void* buffer, size_t bytes) noexcept;

constexpr size_t kMostKeptBytes = size_t(256) << 20;

}  // namespace intaglio
