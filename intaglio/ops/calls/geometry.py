# SPDX-License-Identifier: MIT
"""Rasterizing, and attributes at pixels."""

from __future__ import annotations

from .op import Array, Call, Op, Run

# What is drawn: of P rows of positions and R ranges of triangles, P x R images; without ranges P.
GEOMETRY = "Tensor pos_clip, Tensor triangles, Tensor? ranges"


def num_images(pos_clip: Array, ranges: Array | None) -> int:
    return pos_clip.shape[0] if ranges is None else pos_clip.shape[0] * ranges.shape[0]


def _rasterize_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    _, grad_barycentrics, grad_depth = grads
    if not needs[0] or (grad_barycentrics is None and grad_depth is None):
        return (None,) * len(inputs)
    (grad_pos_clip,) = run(_RASTERIZE_VJP, *inputs[:3], outputs[0], grad_barycentrics, grad_depth)
    return grad_pos_clip, *(None,) * (len(inputs) - 1)


_RASTERIZE_VJP = Call(
    "rasterize_vjp",
    GEOMETRY + ", Tensor triangle_id, Tensor? grad_barycentrics, Tensor? grad_depth",
    lambda pos_clip, *_: ((tuple(pos_clip.shape), "value"),),
)

_RASTERIZE = Call(
    "rasterize",
    GEOMETRY + ", bool cull_backfaces, int height, int width",
    lambda pos_clip, triangles, ranges, cull_backfaces, height, width: (
        ((num_images(pos_clip, ranges), height, width), "index"),
        ((num_images(pos_clip, ranges), height, width, 2), "value"),
        ((num_images(pos_clip, ranges), height, width), "value"),
    ),
)

RASTERIZE = Op(
    "rasterize",
    _RASTERIZE,
    _rasterize_vjp,
    saved=(0,),
    discrete=(0,),
)

_RASTERIZE_BEHIND = Call(
    "rasterize_behind",
    GEOMETRY + ", bool cull_backfaces, Tensor before_id, Tensor before_depth",
    lambda pos_clip, triangles, ranges, cull_backfaces, before_id, before_depth: (
        (tuple(before_id.shape), "index"),
        ((*before_id.shape, 2), "value"),
        (tuple(before_id.shape), "value"),
    ),
)

RASTERIZE_BEHIND = Op(
    "rasterize_behind",
    _RASTERIZE_BEHIND,
    _rasterize_vjp,
    saved=(0,),
    discrete=(0,),
)


def _interpolate_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not (needs[0] or needs[3]):
        return None, None, None, None
    grad_attributes, grad_barycentrics = run(_INTERPOLATE_VJP, *inputs, grads[0], needs[0], needs[3])
    return grad_attributes, None, None, grad_barycentrics


_INTERPOLATE_VJP = Call(
    "interpolate_vjp",
    "Tensor attributes, Tensor triangles, Tensor triangle_id, Tensor barycentrics, Tensor grad_out, "
    "bool needs_attributes, bool needs_barycentrics",
    lambda attributes, triangles, triangle_id, barycentrics, grad_out, needs_attributes, needs_barycentrics: (
        (tuple(attributes.shape) if needs_attributes else None, "value"),
        (tuple(barycentrics.shape) if needs_barycentrics else None, "value"),
    ),
)

_INTERPOLATE = Call(
    "interpolate",
    "Tensor attributes, Tensor triangles, Tensor triangle_id, Tensor barycentrics",
    lambda attributes, triangles, triangle_id, barycentrics: (((*triangle_id.shape, attributes.shape[-1]), "value"),),
)

INTERPOLATE = Op(
    "interpolate",
    _INTERPOLATE,
    _interpolate_vjp,
)

_SCREEN_DERIVATIVES = Call(
    "screen_derivatives",
    "Tensor attributes, Tensor triangles, Tensor triangle_id, Tensor pos_clip, Tensor pos_triangles, Tensor? ranges",
    lambda attributes, triangles, triangle_id, *_: (((*triangle_id.shape, attributes.shape[-1], 2), "value"),),
)

SCREEN_DERIVATIVES = Op(
    "screen_derivatives",
    _SCREEN_DERIVATIVES,
    None,
)

OPS = (RASTERIZE, RASTERIZE_BEHIND, INTERPOLATE, SCREEN_DERIVATIVES)
CALLS = (
    (_RASTERIZE, 3),
    (_RASTERIZE_BEHIND, 3),
    (_RASTERIZE_VJP, 1),
    (_INTERPOLATE, 1),
    (_INTERPOLATE_VJP, 2),
    (_SCREEN_DERIVATIVES, 1),
)
