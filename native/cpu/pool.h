// SPDX-License-Identifier: MIT
// A small thread pool: started at the first use, joined never, begun anew in a forked child (OpenMP hangs there).
// Callers must give every index work that depends on the index alone: then results do not depend on the threads.
#pragma once
#include <cstdint>
#include <functional>

namespace intaglio {

int num_threads();
void set_num_threads(int count);

// Calls body(0) ... body(count - 1), each once, on the pool's threads and the caller's; returns when all are done.
// Inside a body, and while another thread uses the pool, it runs serially on the caller. The first exception is rethrown.
void parallel_for(int64_t count, const std::function<void(int64_t)>& body);

}  // namespace intaglio
