// SPDX-License-Identifier: MIT
// What every back end says of values that no shape can tell. The messages begin with the argument's name.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>

#include "ops.h"

namespace intaglio {

[[noreturn]] inline void throw_index(const char* name, int64_t low, int64_t high, int64_t got, const char* remedy) {
  throw std::invalid_argument(std::string(name) + " must be in [" + std::to_string(low) + ", " + std::to_string(high) +
                              "); got " + std::to_string(got) + " (" + remedy + ")");
}

template <class T>
[[noreturn]] void throw_not_finite(const char* name, T got, int64_t index, const char* remedy) {
  throw std::invalid_argument(std::string(name) + " must be finite; got " + std::to_string(got) + " at flat index " +
                              std::to_string(index) + " (" + remedy + ")");
}

[[noreturn]] inline void throw_range(int64_t num_triangles, int64_t first, int64_t count, int64_t row) {
  throw std::invalid_argument("ranges must be (first triangle, count) within the " + std::to_string(num_triangles) +
                              " triangles; got (" + std::to_string(first) + ", " + std::to_string(count) + ") in row " +
                              std::to_string(row) + " (triangles count from 0 in the list that all ranges share)");
}

[[noreturn]] inline void throw_triangle_id(int32_t triangle_id, Slice shown) {
  std::string expected = shown.begin == 0 ? "in [-1, " : "-1 or in [" + std::to_string(shown.begin) + ", ";
  throw std::invalid_argument("fragments.triangle_id must be " + expected + std::to_string(shown.end) + "); got " +
                              std::to_string(triangle_id) + " (were these fragments made from other triangles?)");
}

inline void check_size(Raster raster) {
  if (raster.height > kMaxSize || raster.width > kMaxSize)
    throw std::invalid_argument("images must be at most " + std::to_string(kMaxSize) + " pixels wide and high");
}

// Of a graph, whose starts may fall at a vertex, or not run over all ends.
[[noreturn]] inline void throw_fall(int64_t vertex) {
  throw std::invalid_argument("starts must not fall; got a fall at vertex " + std::to_string(vertex) +
                              " (see topology.edge_ends)");
}

inline void check_ends(int32_t first, int32_t last, int64_t num_ends) {
  if (first != 0 || last != num_ends)
    throw std::invalid_argument("starts must run from 0 to " + std::to_string(num_ends) + "; got " + std::to_string(first) +
                                " to " + std::to_string(last) + " (see topology.edge_ends)");
}

// The remedies, which belong to the arguments.
constexpr char kPositionsRemedy[] = "a camera inside the mesh, or a diverged fit?";
constexpr char kTrianglesRemedy[] = "indices count from 0 and must stay below the number of vertices";
constexpr char kNeighboursRemedy[] = "was this table built for these triangles?";
constexpr char kEndsRemedy[] = "were these made for this mesh?";
constexpr char kUvRemedy[] = "indices must stay below the number of uv";
constexpr char kAttributesRemedy[] = "indices must stay below the number of attribute rows";

}  // namespace intaglio
