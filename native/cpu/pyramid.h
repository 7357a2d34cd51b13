// SPDX-License-Identifier: MIT
// Whole pyramids, for ops that make their own. Their texels may be padded: loads of a whole register are faster than of three
// channels.
#pragma once
#include "../math/texture.h"
#include "../ops.h"
#include "rows.h"

namespace intaglio {

// visit(channels, stride): of an image, and of a texel of its pyramid, constants where they are common ones.
template <class Visit>
void with_strides(int64_t channels, const Visit& visit) {
  with_channels(channels, [&](auto c) {
    if constexpr (std::is_same_v<decltype(c), std::integral_constant<int64_t, 3>>)
      visit(c, std::integral_constant<int64_t, 4>());
    else
      visit(c, c);
  });
}

// `arrays` textures of `channels`, into pyramids of the sizes and the stride (channels) of `pyramid`.
template <class T>
void build_pyramid(const T* texture, const Texture<T>& pyramid, int64_t arrays, int64_t channels, T* texels);

// Uses up grad_texels.
template <class T>
void build_pyramid_vjp(T* grad_texels, const Texture<T>& pyramid, int64_t arrays, int64_t channels, T* grad_texture);

}  // namespace intaglio
