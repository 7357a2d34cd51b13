# SPDX-License-Identifier: MIT
"""Cube maps."""

from __future__ import annotations

from typing import Any

from .op import Array, Call, Op, Run

_LEVEL = "Tensor texels, Tensor directions, int size, int filter"
_PYRAMID = "Tensor texels, Tensor directions, Tensor lod, int size, int num_levels"
_GRAD = ", Tensor grad_out, bool needs_texels, bool needs_directions"


def _samples(texels: Array, directions: Array, *_: Any) -> tuple:
    return (((*directions.shape[:3], texels.shape[-1]), "value"),)


def _shapes(wanted: tuple, inputs: tuple) -> tuple:
    return tuple((tuple(x.shape) if want else None, "value") for want, x in zip(wanted, inputs, strict=True))


def _sample_level_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not any(needs[:2]):
        return (None,) * 4
    return *run(_SAMPLE_LEVEL_VJP, *inputs, grads[0], *needs[:2]), None, None


_SAMPLE_LEVEL = Call("sample_cube_level", _LEVEL, _samples)
_SAMPLE_LEVEL_VJP = Call(
    "sample_cube_level_vjp", _LEVEL + _GRAD, lambda *inputs: _shapes(inputs[-2:], inputs[:2])
)  # fmt: skip
SAMPLE_CUBE = Op("sample_cube", _SAMPLE_LEVEL, _sample_level_vjp)


def _sample_pyramid_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not any(needs[:3]):
        return (None,) * 5
    return *run(_SAMPLE_PYRAMID_VJP, *inputs, grads[0], *needs[:3]), None, None


_SAMPLE_PYRAMID = Call("sample_cube_pyramid", _PYRAMID, _samples)
_SAMPLE_PYRAMID_VJP = Call(
    "sample_cube_pyramid_vjp",
    _PYRAMID + _GRAD + ", bool needs_lod",
    lambda *inputs: _shapes(inputs[-3:], inputs[:3]),
)
SAMPLE_CUBE_PYRAMID = Op("sample_cube with trilinear", _SAMPLE_PYRAMID, _sample_pyramid_vjp)


def _prefilter_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[0]:
        return (None,) * 4
    return *run(_PREFILTER_VJP, grads[0], *inputs[1:]), None, None, None


def _faces(texels: Array, size: int) -> tuple:
    return (((texels.shape[0], 6 * size * size, texels.shape[2]), "value"),)


_PREFILTER = Call(
    "prefilter_cube",
    "Tensor texels, int from_size, int to_size, float roughness",
    lambda texels, from_size, to_size, roughness: _faces(texels, to_size),
)
_PREFILTER_VJP = Call(
    "prefilter_cube_vjp",
    "Tensor grad_out, int from_size, int to_size, float roughness",
    lambda grad_out, from_size, to_size, roughness: _faces(grad_out, from_size),
)
PREFILTER_CUBE = Op("prefilter_cube", _PREFILTER, _prefilter_vjp)

OPS = (SAMPLE_CUBE, SAMPLE_CUBE_PYRAMID, PREFILTER_CUBE)
CALLS = (
    (_PREFILTER, 1),
    (_PREFILTER_VJP, 1),
    (_SAMPLE_LEVEL, 1),
    (_SAMPLE_LEVEL_VJP, 2),
    (_SAMPLE_PYRAMID, 1),
    (_SAMPLE_PYRAMID_VJP, 3),
)
