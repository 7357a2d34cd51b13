# SPDX-License-Identifier: MIT
"""Textured meshes, in one go."""

from __future__ import annotations

from typing import Any

from .op import Array, Call, Op, Run

_SEEN = (
    "Tensor pos_clip, Tensor triangles, Tensor uv, Tensor uv_triangles, Tensor texture, Tensor neighbours, int wrap, "
    "bool cull_backfaces"
)
_MESH = _SEEN + ", int height, int width"
_NEEDS = ", bool needs_pos_clip, bool needs_uv, bool needs_texture"


def _pyramid_shape(texture: Array) -> tuple:
    """[..., texels of all levels, channels padded to those of a register]"""
    *batch, height, width, channels = texture.shape
    num_texels = 0
    for level in range(max(height, width).bit_length()):
        num_texels += max(height >> level, 1) * max(width >> level, 1)
    return (*batch, num_texels, 4 if channels == 3 else channels)


def _outputs(*inputs: Any) -> tuple:
    pos_clip, texture, (height, width) = inputs[0], inputs[4], inputs[8:10]
    pixels = (pos_clip.shape[0], height, width)
    return (pixels, "index"), (_pyramid_shape(texture), "value"), ((*pixels, texture.shape[-1]), "value")


def _grads(*inputs: Any) -> tuple:
    pos_clip, _, uv, _, texture = inputs[:5]
    needs_pos_clip, needs_uv, needs_texture = inputs[-3:]
    return (
        (tuple(pos_clip.shape) if needs_pos_clip else None, "value"),
        (tuple(uv.shape) if needs_uv else None, "value"),
        (_pyramid_shape(texture) if needs_texture else None, "value"),
        (tuple(texture.shape) if needs_texture else None, "value"),
    )


def _textured_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[2] is None or not (needs[0] or needs[2] or needs[4]):
        return (None,) * len(inputs)
    found = run(_TEXTURED_VJP, *inputs, *outputs, grads[2], needs[0], needs[2], needs[4])
    grad_pos_clip, grad_uv, _, grad_texture = found  # between them the room for the gradient's own pyramid
    return grad_pos_clip, None, grad_uv, None, grad_texture, *(None,) * (len(inputs) - 5)


_TEXTURED = Call("textured", _MESH, _outputs)
_TEXTURED_VJP = Call(
    "textured_vjp",
    _MESH + ", Tensor triangle_id, Tensor texels, Tensor image, Tensor grad_image" + _NEEDS,
    _grads,
)
TEXTURED = Op("textured", _TEXTURED, _textured_vjp, saved=(0, 1, 2), discrete=(0, 1))


def _error_outputs(*inputs: Any) -> tuple:
    """The errors, then their derivatives; empty ones where nobody wants them."""
    wanted = zip((inputs[0], inputs[2], inputs[4]), inputs[-3:], strict=True)
    return ((inputs[0].shape[0],), "value"), *((tuple(x.shape) if need else (0,), "value") for x, need in wanted)


def _error_grads(*inputs: Any) -> tuple:
    wanted = zip((inputs[0], inputs[2], inputs[4]), inputs[-3:], strict=True)
    return tuple((tuple(x.shape) if need else None, "value") for x, need in wanted)


def _textured_error_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not (needs[0] or needs[2] or needs[4]):
        return (None,) * len(inputs)
    found = run(_TEXTURED_ERROR_VJP, *inputs[:9], *outputs, grads[0], needs[0], needs[2], needs[4])
    grad_pos_clip, grad_uv, grad_texture = found
    return grad_pos_clip, None, grad_uv, None, grad_texture, *(None,) * (len(inputs) - 5)


_TEXTURED_ERROR = Call("textured_error", _SEEN + ", Tensor target" + _NEEDS, _error_outputs)
_TEXTURED_ERROR_VJP = Call(
    "textured_error_vjp",
    _SEEN + ", Tensor target, Tensor derivative_pos_clip, Tensor derivative_uv, Tensor derivative_texture, "
    "Tensor grad_error" + _NEEDS,
    _error_grads,
)
# The error is all that is made of the image, so its gradient is known in the forward pass but for a factor.
TEXTURED_ERROR = Op("textured_error", _TEXTURED_ERROR, _textured_error_vjp, saved=(1, 2, 3), discrete=(1, 2, 3))

OPS = (TEXTURED, TEXTURED_ERROR)
CALLS = ((_TEXTURED, 3), (_TEXTURED_VJP, 4), (_TEXTURED_ERROR, 4), (_TEXTURED_ERROR_VJP, 3))
