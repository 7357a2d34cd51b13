// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace intaglio {

// The sum of (a - b)^2, in lanes of T: for slices that are short enough for them.
double sum_of_squares(const float* a, const float* b, int64_t count);
double sum_of_squares(const double* a, const double* b, int64_t count);

// Of one alone.
double sum_of_squares(const float* a, int64_t count);
double sum_of_squares(const double* a, int64_t count);

}  // namespace intaglio
