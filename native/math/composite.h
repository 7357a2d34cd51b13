// SPDX-License-Identifier: MIT
// Layers of one pixel laid over one another, nearest first: each a colour and, as the last of its channels, an alpha, by which
// the colour is yet to be multiplied. The result's colour has been: it lies over black, to which a background adds what is
// left. Porter, Duff: Compositing Digital Images, 1984 ("over").
#pragma once
#include "vec.h"

namespace intaglio {

// out [channels] of layers [count, channels].
template <class T, class Channels>
INTAGLIO_HD void composite(const T* layers, int64_t count, Channels channels, T* out) {
  const int64_t alpha = channels - 1;
  for (int64_t c = 0; c < channels; ++c) out[c] = 0;
  T left = 1;
  for (const T* layer = layers; layer != layers + count * channels; layer += channels) {
    const T share = left * layer[alpha];
    for (int64_t c = 0; c < alpha; ++c) out[c] += share * layer[c];
    left *= 1 - layer[alpha];
  }
  out[alpha] = 1 - left;
}

// Passes grad_out on to grad_layers, without dividing by what a layer lets through, which may be nothing. Of `behind` the
// caller lends room for count + 1 numbers.
template <class T, class Channels>
INTAGLIO_HD void composite_vjp(const T* layers, int64_t count, Channels channels, const T* grad_out, T* behind,
                               T* grad_layers) {
  const int64_t alpha = channels - 1;
  // behind[k]: what the layers from k on add to the loss, were they all of the picture.
  behind[count] = 0;
  for (int64_t k = count - 1; k >= 0; --k) {
    const T* layer = layers + k * channels;
    T own = grad_out[alpha];
    for (int64_t c = 0; c < alpha; ++c) own += grad_out[c] * layer[c];
    grad_layers[k * channels + alpha] = own;
    behind[k] = layer[alpha] * own + (1 - layer[alpha]) * behind[k + 1];
  }
  T left = 1;
  for (int64_t k = 0; k < count; ++k) {
    const T* layer = layers + k * channels;
    T* grad = grad_layers + k * channels;
    for (int64_t c = 0; c < alpha; ++c) grad[c] = left * layer[alpha] * grad_out[c];
    grad[alpha] = left * (grad[alpha] - behind[k + 1]);
    left *= 1 - layer[alpha];
  }
}

}  // namespace intaglio
