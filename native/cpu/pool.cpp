// SPDX-License-Identifier: MIT
#include "pool.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace intaglio {
namespace {

#if defined(__x86_64__)
inline void relax() {
  __builtin_ia32_pause();
}
#else
inline void relax() {
  std::this_thread::yield();
}
#endif

// A worker that has just worked is likely to be needed again within one op: it spins this often before it sleeps.
constexpr int kSpins = 8000;

struct Job {
  const std::function<void(int64_t)>* body = nullptr;
  int64_t count = 0;
  std::atomic<int64_t> next{0};
  std::exception_ptr error;
  std::mutex error_mutex;

  void work() {
    for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
      try {
        (*body)(i);
      } catch (...) {
        std::lock_guard<std::mutex> lock(error_mutex);
        if (!error) error = std::current_exception();
      }
    }
  }
};

class Pool {
 public:
  explicit Pool(int workers) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { loop(); });
  }

  ~Pool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  // The caller works as well and waits only for those who joined: on a busy machine a worker may wake up when all is done.
  void run(Job& job) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = &job;
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    job.work();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = nullptr;
    }
    for (int spin = 0; spin < kSpins && active_.load(std::memory_order_acquire) != 0; ++spin) relax();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return active_.load(std::memory_order_acquire) == 0; });
  }

 private:
  void loop() {
    for (uint64_t seen = 0;;) {
      for (int spin = 0; spin < kSpins && generation_.load(std::memory_order_acquire) == seen; ++spin) relax();
      Job* job;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return generation_.load(std::memory_order_acquire) != seen; });
        seen = generation_.load(std::memory_order_acquire);
        if (stop_) return;
        job = job_;
        if (!job) continue;
        active_.fetch_add(1, std::memory_order_relaxed);
      }
      job->work();
      if (active_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        std::lock_guard<std::mutex> lock(mutex_);
        done_.notify_one();
      }
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<int> active_{0};  // workers that joined the job
  Job* job_ = nullptr;          // while others may join it
  bool stop_ = false;
};

int default_threads() {
  unsigned cores = std::thread::hardware_concurrency();
  return cores ? (int)cores : 1;
}

// All state of the pool. It lives behind a pointer, so that a forked child, where the workers and whoever held the lock
// no longer exist, can start from a fresh one and leak the parent's.
struct State {
  std::mutex busy;
  Pool* pool = nullptr;
  std::atomic<int> threads{default_threads()};
};

State* state = nullptr;
thread_local bool inside_body = false;

State& the_state() {
  static bool once = [] {
    state = new State;
    pthread_atfork(nullptr, nullptr, [] {
      int threads = state->threads.load();
      state = new State;
      state->threads.store(threads);
      inside_body = false;
    });
    return true;
  }();
  (void)once;
  return *state;
}

struct InsideBody {
  bool before = inside_body;
  InsideBody() { inside_body = true; }
  ~InsideBody() { inside_body = before; }
};

}  // namespace

int num_threads() {
  return the_state().threads;
}

void set_num_threads(int count) {
  State& s = the_state();
  std::lock_guard<std::mutex> lock(s.busy);
  delete s.pool;
  s.pool = nullptr;
  s.threads = count;
}

void parallel_for(int64_t count, const std::function<void(int64_t)>& body) {
  auto serially = [&] {
    for (int64_t i = 0; i < count; ++i) body(i);
  };
  State& s = the_state();
  if (count < 2 || inside_body || s.threads < 2) return serially();
  std::unique_lock<std::mutex> lock(s.busy, std::try_to_lock);
  if (!lock.owns_lock()) return serially();
  if (!s.pool) s.pool = new Pool(s.threads - 1);
  std::function<void(int64_t)> marked = [&](int64_t i) {
    InsideBody guard;
    body(i);
  };
  Job job;
  job.body = &marked;
  job.count = count;
  s.pool->run(job);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace intaglio
