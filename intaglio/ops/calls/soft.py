# SPDX-License-Identifier: MIT
"""Soft visibility."""

from __future__ import annotations

from typing import Any

from .geometry import GEOMETRY, num_images
from .op import Array, Call, Op, Run


def _layers(
    pos_clip: Array,
    triangles: Array,
    ranges: Array | None,
    cull_backfaces: bool,
    height: int,
    width: int,
    sigma: float,
    layers: int,
) -> tuple:
    shape = (num_images(pos_clip, ranges), height, width, layers)
    return (shape, "index"), ((*shape, 2), "value"), (shape, "value"), (shape, "value")


def _soft_rasterize_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    *geometry, _, _, _, sigma, _ = inputs
    if not needs[0] or all(grad is None for grad in grads[1:]):
        return (None,) * len(inputs)
    (grad_pos_clip,) = run(_SOFT_RASTERIZE_VJP, *geometry, outputs[0], sigma, *grads[1:])
    return grad_pos_clip, *(None,) * (len(inputs) - 1)


_SOFT_RASTERIZE = Call(
    "soft_rasterize",
    GEOMETRY + ", bool cull_backfaces, int height, int width, float sigma, int layers",
    _layers,
)
_SOFT_RASTERIZE_VJP = Call(
    "soft_rasterize_vjp",
    GEOMETRY + ", Tensor triangle_id, float sigma, "
    "Tensor? grad_barycentrics, Tensor? grad_depth, Tensor? grad_probability",
    lambda pos_clip, *_: ((tuple(pos_clip.shape), "value"),),
)
SOFT_RASTERIZE = Op("soft_rasterize", _SOFT_RASTERIZE, _soft_rasterize_vjp, saved=(0,), discrete=(0,))

_IMAGE = "Tensor image, Tensor depth, Tensor probability, float gamma"


def _blended(image: Array, *_: Any) -> tuple:
    pixels = tuple(image.shape[:3])
    return ((*pixels, image.shape[4]), "value"), (pixels, "value"), (pixels, "value")


def _blend_grads(image: Array, depth: Array, probability: Array, *rest: Any) -> tuple:
    inputs = (image, depth, probability)
    return tuple((tuple(x.shape) if need else None, "value") for x, need in zip(inputs, rest[-3:], strict=True))


def _soft_blend_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if not any(needs) or all(grad is None for grad in grads):
        return (None,) * 4
    return *run(_SOFT_BLEND_VJP, *inputs, *grads, *needs[:3]), None


_SOFT_BLEND = Call("soft_blend", _IMAGE, _blended)
_SOFT_BLEND_VJP = Call(
    "soft_blend_vjp",
    _IMAGE + ", Tensor? grad_color, Tensor? grad_alpha, Tensor? grad_background, "
    "bool needs_image, bool needs_depth, bool needs_probability",
    _blend_grads,
)
SOFT_BLEND = Op("soft_blend", _SOFT_BLEND, _soft_blend_vjp)

OPS = (SOFT_RASTERIZE, SOFT_BLEND)
CALLS = (
    (_SOFT_RASTERIZE, 4),
    (_SOFT_RASTERIZE_VJP, 1),
    (_SOFT_BLEND, 3),
    (_SOFT_BLEND_VJP, 3),
)
