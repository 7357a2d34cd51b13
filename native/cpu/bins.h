// SPDX-License-Identifier: MIT
// What lies where: lists of things, dealt out to places (tiles, bands), each place in the order of the lists.
#pragma once
#include <cstdint>
#include <vector>

#include "pool.h"

namespace intaglio {

template <class Thing>
struct Bins {
  std::vector<int32_t> sizes;         // [list, place], then where each list's share of a place begins
  std::vector<const Thing*> entries;  // place by place
  std::vector<int32_t> begin;         // of each place, and the end of the last

  // Sizes become offsets, then every list puts its things into its own share of each place. `sizes` has been counted, and
  // for_each_place(thing, visit) calls visit(place).
  template <class Lists, class ForEachPlace>
  void deal(const Lists& lists, int64_t places, const ForEachPlace& for_each_place) {
    const int64_t num_lists = (int64_t)lists.size();
    begin.resize(places + 1);
    int32_t total = 0;
    for (int64_t place = 0; place < places; ++place) {
      begin[place] = total;
      for (int64_t list = 0; list < num_lists; ++list) {
        int32_t& size = sizes[list * places + place];
        total += size;
        size = total - size;
      }
    }
    begin[places] = total;
    entries.resize(total);
    parallel_for(num_lists, [&](int64_t list) {
      int32_t* next = sizes.data() + list * places;
      for (const Thing& thing : lists[list]) for_each_place(thing, [&](int place) { entries[next[place]++] = &thing; });
    });
  }
};

}  // namespace intaglio
