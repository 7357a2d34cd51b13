# SPDX-License-Identifier: MIT
"""Textures."""

from __future__ import annotations

from typing import Any

from .op import Array, Call, Op, Run


def _halve_texture_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[0]:
        return (None,)
    height, width = inputs[0].shape[1:3]
    return run(_HALVE_TEXTURE_VJP, grads[0], height, width)


_HALVE_TEXTURE = Call(
    "halve_texture",
    "Tensor texture",
    lambda texture: (
        ((texture.shape[0], *(max(size // 2, 1) for size in texture.shape[1:3]), texture.shape[3]), "value"),
    ),
)

_HALVE_TEXTURE_VJP = Call(
    "halve_texture_vjp",
    "Tensor grad_out, int height, int width",
    lambda grad_out, height, width: (((grad_out.shape[0], height, width, grad_out.shape[3]), "value"),),
)

HALVE_TEXTURE = Op("mip_pyramid", _HALVE_TEXTURE, _halve_texture_vjp)

FILTERS = ("nearest", "bilinear")  # of one level, in the native order
WRAPS = ("repeat", "mirror", "clamp")

_LEVEL = "Tensor texels, Tensor uv, Tensor? triangle_id, int height, int width, int filter, int wrap"
_PYRAMID = (
    "Tensor texels, Tensor uv, Tensor uv_derivatives, Tensor? triangle_id, int height, int width, int num_levels, "
    "int wrap, int max_anisotropy"
)
_NEEDS = ", Tensor grad_out, bool needs_texels, bool needs_uv"


def _samples(texels: Array, uv: Array, *_: Any) -> tuple:
    return (((*uv.shape[:3], texels.shape[-1]), "value"),)


def _sample_grads(texels: Array, uv: Array, *rest: Any) -> tuple:
    needs_texels, needs_uv = rest[-2:]
    return (
        (tuple(texels.shape) if needs_texels else None, "value"),
        (tuple(uv.shape) if needs_uv else None, "value"),
    )


def _sample_level_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not (needs[0] or needs[1]):
        return (None,) * len(inputs)
    return *run(_SAMPLE_LEVEL_VJP, *inputs, grads[0], needs[0], needs[1]), *(None,) * (len(inputs) - 2)


_SAMPLE_LEVEL = Call("sample_level", _LEVEL, _samples)
_SAMPLE_LEVEL_VJP = Call("sample_level_vjp", _LEVEL + _NEEDS, _sample_grads)
SAMPLE_LEVEL = Op("sample_texture", _SAMPLE_LEVEL, _sample_level_vjp)


def _sample_pyramid_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not (needs[0] or needs[1]):
        return (None,) * len(inputs)
    return *run(_SAMPLE_PYRAMID_VJP, *inputs, grads[0], needs[0], needs[1]), *(None,) * (len(inputs) - 2)


_SAMPLE_PYRAMID = Call("sample_pyramid", _PYRAMID, _samples)
_SAMPLE_PYRAMID_VJP = Call("sample_pyramid_vjp", _PYRAMID + _NEEDS, _sample_grads)
SAMPLE_PYRAMID = Op("sample_texture with trilinear", _SAMPLE_PYRAMID, _sample_pyramid_vjp)


def _sample_face_texture_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[0]:
        return None, None, None
    (grad_textures,) = run(_SAMPLE_FACE_TEXTURE_VJP, *inputs, grads[0])
    return grad_textures, None, None


_SAMPLE_FACE_TEXTURE = Call(
    "sample_face_texture",
    "Tensor textures, Tensor triangle_id, Tensor barycentrics",
    lambda textures, triangle_id, _: (((*triangle_id.shape, textures.shape[-1]), "value"),),
)

_SAMPLE_FACE_TEXTURE_VJP = Call(
    "sample_face_texture_vjp",
    "Tensor textures, Tensor triangle_id, Tensor barycentrics, Tensor grad_out",
    lambda textures, *_: ((tuple(textures.shape), "value"),),
)

SAMPLE_FACE_TEXTURE = Op("sample_face_texture", _SAMPLE_FACE_TEXTURE, _sample_face_texture_vjp)

OPS = (HALVE_TEXTURE, SAMPLE_LEVEL, SAMPLE_PYRAMID, SAMPLE_FACE_TEXTURE)
CALLS = (
    (_HALVE_TEXTURE, 1),
    (_HALVE_TEXTURE_VJP, 1),
    (_SAMPLE_LEVEL, 1),
    (_SAMPLE_LEVEL_VJP, 2),
    (_SAMPLE_PYRAMID, 1),
    (_SAMPLE_PYRAMID_VJP, 2),
    (_SAMPLE_FACE_TEXTURE, 1),
    (_SAMPLE_FACE_TEXTURE_VJP, 1),
)
