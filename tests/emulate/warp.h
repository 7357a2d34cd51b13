// SPDX-License-Identifier: MIT
// Warps of 32 lanes on a host: each lane is a fiber, which runs until it waits for others. Who waits for lanes that never come
// ends the process. Which lanes of those that came to the same place are together is chance, as far as it is on a GPU.
#pragma once
#include <setjmp.h>
#include <ucontext.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#elif defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace intaglio_emulate {

constexpr int kLanes = 32;

// To ThreadSanitizer each lane is a thread: nothing orders the lanes of a launch, and all of it comes between its beginning and
// its end. Then threads never run alone.
#if defined(__SANITIZE_THREAD__)
constexpr bool kSeesRaces = true;
#define INTAGLIO_UNSEEN __attribute__((no_sanitize("thread")))
#else
constexpr bool kSeesRaces = false;
#define INTAGLIO_UNSEEN
#endif

struct Random {  // splitmix64
  uint64_t state;
  INTAGLIO_UNSEEN uint64_t operator()() {
    uint64_t z = (state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
};

class Lanes {
 public:
  static Lanes& of_this_thread() {
    static thread_local Lanes* lanes = nullptr;
    if (!lanes) {
      static thread_local std::unique_ptr<Lanes> owner;
      owner.reset(new Lanes);
      lanes = owner.get();
    }
    return *lanes;
  }

  // The lane that runs; -1 for a thread that runs alone.
  INTAGLIO_UNSEEN int current() const { return current_; }

  using Call = void (*)(const void* what, int64_t index, int lane);

  INTAGLIO_UNSEEN void begin_launch(Call call, const void* what) {
    call_ = call, what_ = what;
    for (Lane& lane : lane_) lane.is_new = true;
  }

  // call(what, first + lane, lane) for lane < count, each on its fiber.
  INTAGLIO_UNSEEN void run(int64_t first, int count, Random& random) {
    first_ = first;
    for (int lane = 0; lane < count; ++lane) lane_[lane].state = State::kReady;
    for (;;) {
      const uint64_t order = random();
      bool has_run = false;
      for (int k = 0; k < kLanes; ++k) {
        const int lane = (int)((k * (order | 1) + (order >> 32)) % kLanes);
        if (lane_[lane].state == State::kReady) resume(lane), has_run = true;
      }
      if (!has_run && !release(random)) break;
    }
    for (const Lane& lane : lane_)
      if (lane.state != State::kEnded) fail("lanes of a warp wait for others that never come");
  }

  // Those that are at `site` with this lane.
  INTAGLIO_UNSEEN unsigned join(void* site) {
    Lane& own = lane_[current_];
    own.state = State::kJoining, own.site = site;
    suspend();
    return lane_[current_].mask;
  }

  // What each lane of `mask` brings here; until the next wait.
  INTAGLIO_UNSEEN const uint64_t* exchange(unsigned mask, uint64_t value) {
    if (!(mask >> current_ & 1)) fail("a lane is not among those that it waits for");
    Lane& own = lane_[current_];
    own.state = State::kExchanging, own.mask = mask, own.value = value;
    suspend();
    return seen_;
  }

  [[noreturn]] static void fail(const char* what) {
    std::fprintf(stderr, "emulated GPU: %s\n", what);
    std::abort();
  }

  bool has_met_alone = false;

 private:
  enum class State { kEnded, kReady, kJoining, kExchanging };
  static constexpr size_t kStackBytes = 256 << 10;

  struct Lane {
    State state = State::kEnded;
    bool is_new = false;  // in this launch
    void* site;
    unsigned mask;
    uint64_t value;
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    jmp_buf jump;
    bool is_living = false;
#if defined(__SANITIZE_THREAD__)
    void* fiber;
#endif
  };

  Lanes() {
    for (Lane& lane : lane_) prepare(lane);
  }

  static void prepare(Lane& lane) {
    lane.stack.reset(new char[kStackBytes]);
    getcontext(&lane.context);
    lane.context.uc_stack.ss_sp = lane.stack.get(), lane.context.uc_stack.ss_size = kStackBytes;
    makecontext(&lane.context, (void (*)())live, 0);
#if defined(__SANITIZE_THREAD__)
    lane.fiber = __tsan_create_fiber(0);
#endif
  }

  // What a fiber does: one warp's lane after the other.
  INTAGLIO_UNSEEN static void live() {
    Lanes& lanes = of_this_thread();
    lanes.arrived_in_lane(nullptr);
    for (;;) {
      const int lane = lanes.current_;
      lanes.call_(lanes.what_, lanes.first_ + lane, lane);
      lanes.lane_[lane].state = State::kEnded;
      lanes.suspend();
    }
  }

  // Lets some go whose wait is over; false if there are none. All of them run before others are let go.
  INTAGLIO_UNSEEN bool release(Random& random) {
    for (int lane = 0; lane < kLanes; ++lane) {
      if (lane_[lane].state != State::kExchanging) continue;
      const unsigned mask = lane_[lane].mask;
      bool all_came = true;
      for (int other = 0; other < kLanes; ++other)
        if (mask >> other & 1) all_came &= lane_[other].state == State::kExchanging && lane_[other].mask == mask;
      if (!all_came) continue;
      for (int other = 0; other < kLanes; ++other)
        if (mask >> other & 1) seen_[other] = lane_[other].value, lane_[other].state = State::kReady;
      return true;
    }
    for (int k = 0, first = (int)(random() % kLanes); k < kLanes; ++k) {
      const int lane = (first + k) % kLanes;
      if (lane_[lane].state != State::kJoining) continue;
      unsigned together = 0;
      for (int other = 0; other < kLanes; ++other)
        if (lane_[other].state == State::kJoining && lane_[other].site == lane_[lane].site) together |= 1u << other;
      if (random() % 4 == 0) together &= (unsigned)random() | 1u << lane;
      for (int other = 0; other < kLanes; ++other)
        if (together >> other & 1) lane_[other].mask = together, lane_[other].state = State::kReady;
      return true;
    }
    return false;
  }

#if defined(__SANITIZE_THREAD__)
  INTAGLIO_UNSEEN void resume(int lane) {
    current_ = lane;
    main_fiber_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(lane_[lane].fiber, lane_[lane].is_new ? 0 : __tsan_switch_to_fiber_no_sync);
    lane_[lane].is_new = false;
    swapcontext(&main_, &lane_[lane].context);
    current_ = -1;
  }
  INTAGLIO_UNSEEN void suspend() {
    const int lane = current_;
    __tsan_switch_to_fiber(main_fiber_, 0);
    swapcontext(&lane_[lane].context, &main_);
  }
  INTAGLIO_UNSEEN void arrived_in_lane(void*) {}
  void* main_fiber_ = nullptr;
#elif defined(__SANITIZE_ADDRESS__)
  void resume(int lane) {
    current_ = lane;
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, lane_[lane].stack.get(), kStackBytes);
    swapcontext(&main_, &lane_[lane].context);
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
    current_ = -1;
  }
  void suspend() {
    const int lane = current_;
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, main_stack_, main_stack_bytes_);
    swapcontext(&lane_[lane].context, &main_);
    arrived_in_lane(fake);
  }
  void arrived_in_lane(void* fake) { __sanitizer_finish_switch_fiber(fake, &main_stack_, &main_stack_bytes_); }
  const void* main_stack_ = nullptr;
  size_t main_stack_bytes_ = 0;
#else
  void resume(int lane) {
    current_ = lane;
    if (_setjmp(main_jump_) == 0) {
      if (!lane_[lane].is_living) swapcontext(&main_, &lane_[lane].context);
      _longjmp(lane_[lane].jump, 1);  // many times as fast as swapcontext
    }
    current_ = -1;
  }
  void suspend() {
    const int lane = current_;
    if (_setjmp(lane_[lane].jump) == 0) _longjmp(main_jump_, 1);
  }
  void arrived_in_lane(void*) { lane_[current_].is_living = true; }
  jmp_buf main_jump_;
#endif

  Lane lane_[kLanes];
  uint64_t seen_[kLanes];
  ucontext_t main_;
  int current_ = -1;
  int64_t first_ = 0;
  Call call_ = nullptr;
  const void* what_ = nullptr;
};

// The warps of one launch, in which work(index, lane) is done.
template <class Work>
class Warps {
 public:
  Warps(const Work& work, uint64_t seed) : random_{seed} {
    auto call = [](const void* what, int64_t index, int lane) { (*(const Work*)what)(index, lane); };
    Lanes::of_this_thread().begin_launch(call, &work);
  }
  // Of `count` lanes, from work(first, 0) on.
  void run(int64_t first, int count) { Lanes::of_this_thread().run(first, count, random_); }

 private:
  Random random_;
};

inline bool have_met_alone() {
  return std::exchange(Lanes::of_this_thread().has_met_alone, false);
}

inline int lane_of_warp() {
  const int lane = Lanes::of_this_thread().current();
  return lane < 0 ? 0 : lane;
}

// A thread that runs alone is together with nobody.
__attribute__((noinline)) inline unsigned active_lanes() {
  Lanes& lanes = Lanes::of_this_thread();
  if (lanes.current() >= 0) return lanes.join(__builtin_return_address(0));
  lanes.has_met_alone = true;
  return 1;
}

template <class T>
T shuffle(unsigned mask, T x, int from) {
  static_assert(sizeof(T) <= 8);
  Lanes& lanes = Lanes::of_this_thread();
  if (!(mask >> from & 1)) Lanes::fail("a lane asks one that is not with it");
  if (lanes.current() < 0) return x;
  uint64_t value = 0;
  std::memcpy(&value, &x, sizeof(T));
  std::memcpy(&x, lanes.exchange(mask, value) + from, sizeof(T));
  return x;
}

// The lanes of which `is_met` says so.
template <class IsMet>
unsigned lanes_where(unsigned mask, uint64_t value, const IsMet& is_met) {
  Lanes& lanes = Lanes::of_this_thread();
  if (lanes.current() < 0) return is_met(value) ? mask : 0;
  const uint64_t* seen = lanes.exchange(mask, value);
  unsigned found = 0;
  for (int lane = 0; lane < kLanes; ++lane)
    if ((mask >> lane & 1) && is_met(seen[lane])) found |= 1u << lane;
  return found;
}

inline unsigned ballot(unsigned mask, bool vote) {
  return lanes_where(mask, vote, [](uint64_t seen) { return seen != 0; });
}

inline unsigned match_any(unsigned mask, uint64_t key) {
  return lanes_where(mask, key, [key](uint64_t seen) { return seen == key; });
}

}  // namespace intaglio_emulate
