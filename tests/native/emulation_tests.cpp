// SPDX-License-Identifier: MIT
// The emulated GPU itself: what lanes of a warp do together, and that it sees what a GPU would not forgive.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "cuda/sums.h"
#include "expect.h"

namespace {

using namespace intaglio;

// A device for the time of a test.
struct Device {
  intaglio_emulate::DeviceMemory memory;
  intaglio_queue::Queue queue;
  intaglio_queue::Serving serving{queue};

  Device() {
    queue.self = &memory;
    queue.take = [](void* self, size_t bytes) { return (void*)((intaglio_emulate::DeviceMemory*)self)->take(bytes); };
  }
  template <class T>
  T* moved(const std::vector<T>& values) {
    T* there = scratch<T>((int64_t)values.size());
    intaglio_emulate::Opened opened;
    std::copy(values.begin(), values.end(), there);
    return there;
  }
  template <class T>
  std::vector<T> fetched(const T* from, int64_t count) {
    intaglio_emulate::Opened opened;
    return {from, from + count};
  }
};

// Threads with a key add at its place; those without stay away.
template <class Sums>
struct AddByKey {
  const int32_t* key;
  Sums sums;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    if (key[i] < 0) return;
    auto group = sums.group((uint64_t)key[i]);
    const double values[3] = {1, (double)i, (double)(i * i)};
    add_all(sums, group, values, [&](int k) { return 3 * (int64_t)key[i] + k; });
  }
};

void lanes_add_up(unsigned seed, int64_t count, int num_keys) {
  std::mt19937 random(seed);
  std::vector<int32_t> key(count);
  for (int32_t& k : key) k = (int32_t)(random() % (num_keys + 1)) - 1;
  std::vector<double> expected(3 * num_keys);
  for (int64_t i = 0; i < count; ++i)
    if (key[i] >= 0) expected[3 * key[i]] += 1, expected[3 * key[i] + 1] += i, expected[3 * key[i] + 2] += i * i;
  Device device;
  const int32_t* keys = device.moved(key);
  for (bool deterministic : {false, true}) {
    device.queue.deterministic = deterministic;
    double* out = scratch<double>(3 * num_keys);
    accumulate(out, 3 * num_keys, [&](const auto& sums) {
      using Sums = std::decay_t<decltype(sums)>;
      for_each(count, AddByKey<Sums>{keys, sums});
      for_each(0, AddByKey<Sums>{keys, sums});
    });
    CHECK(device.fetched(out, 3 * num_keys) == expected);
  }
}

// Counts how often each bit of each lane is worked on, and how much each lane works.
struct Deal {
  const uint32_t* found;
  uint32_t *times, *work;
  INTAGLIO_DEVICE void operator()(int64_t warp, int lane) const {
    deal(lane, found[warp * kWarp + lane], [&](int finder, int bit) {
      atomic_add(times + (warp * kWarp + finder) * 32 + bit, 1u);
      atomic_add(work + warp * kWarp + lane, 1u);
    });
  }
};

void work_is_dealt_out(unsigned seed, int64_t warps, int one_in) {
  std::mt19937 random(seed);
  std::vector<uint32_t> found(warps * kWarp);
  for (uint32_t& bits : found)
    for (int bit = 0; bit < 32; ++bit) bits |= (uint32_t)(random() % one_in == 0) << bit;
  Device device;
  const int64_t lanes = warps * kWarp;
  uint32_t *times = scratch<uint32_t>(lanes * 32), *work = scratch<uint32_t>(lanes);
  for_both(lanes * 32, Fill<uint32_t>{times, 0}, lanes, Fill<uint32_t>{work, 0});
  for_each_warp(warps, Deal{device.moved(found), times, work});
  const auto counts = device.fetched(times, lanes * 32), loads = device.fetched(work, lanes);
  for (int64_t i = 0; i < lanes * 32; ++i) CHECK(counts[i] == (found[i / 32] >> i % 32 & 1));
  for (int64_t w = 0; w < warps; ++w) {
    auto [least, most] = std::minmax_element(loads.begin() + w * kWarp, loads.begin() + (w + 1) * kWarp);
    CHECK(*most - *least <= 1);
  }
}

// What a process does that `run`s it: its exit status, or minus the signal that ended it.
template <class Run>
int fate_of(const Run& run) {
  std::fflush(nullptr);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    if (!std::freopen("/dev/null", "w", stderr)) std::_Exit(3);
    run();
    std::exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

struct WaitForAll {
  uint32_t* out;
  INTAGLIO_DEVICE void operator()(int64_t, int lane) const {
    if (lane != 5) out[lane] = ballot(0xffffffffu, true);
  }
};

struct SetOne {
  uint32_t* out;
  INTAGLIO_DEVICE void operator()(int64_t) const { out[0] = 1; }
};

void what_no_gpu_forgives_is_seen() {
  CHECK(fate_of([] {
          Device device;
          fill(scratch<uint32_t>(100), 100, 1u);
        }) == 0);
  CHECK(fate_of([] {  // lanes that wait for one that has ended
          Device device;
          for_each_warp(1, WaitForAll{scratch<uint32_t>(kWarp)});
        }) == -SIGABRT);
  CHECK(fate_of([] {  // a kernel that is given the host's memory
          Device device;
          uint32_t here = 0;
          for_each(1, SetOne{&here});
        }) == -SIGABRT);
  CHECK(fate_of([] {  // the host waits
          Device device;
          fetch(scratch<uint32_t>(1));
        }) == -SIGABRT);
  CHECK(fate_of([] {  // the host reads the device's memory
          Device device;
          std::exit((int)*scratch<volatile uint32_t>(1) & 1);
        }) != 0);
  const int races = fate_of([] {  // threads that write to one place
    Device device;
    for_each(64, SetOne{scratch<uint32_t>(1)});
  });
  CHECK((races != 0) == intaglio_emulate::kSeesRaces);
}

}  // namespace

int main() {
  for (unsigned seed = 0; seed < 20; ++seed) {
    lanes_add_up(seed, 1 + 97 * seed, 1 + seed % 7);
    work_is_dealt_out(seed, 1 + seed % 3, seed % 5 == 0 ? 1 : 3 * seed);
  }
  what_no_gpu_forgives_is_seen();
  std::puts("the emulated GPU holds");
}
