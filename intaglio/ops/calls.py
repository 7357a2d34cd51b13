# SPDX-License-Identifier: MIT
"""The native calls and how they differentiate, said once for every framework.

A `Call` names a function of the native module, its arguments, and the shapes of the outputs that it fills. An `Op` is a call
with its adjoint, written in calls. The front ends (numpy.py, torch.py) turn an `Op` into whatever their framework calls a
differentiable function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Array = Any
Run = Callable[..., tuple]  # run(call, *inputs) -> outputs


@dataclass(frozen=True)
class Call:
    """A native function: `native.<name>(*inputs, *outputs)`.

    `inputs` is the argument list in the words of torch's operator schemas; `outputs(*inputs)` gives (shape, dtype) of each
    output, where dtype "index" is int32, "value" is that of the first floating-point input, and a shape of None means that
    the output is not wanted.
    """

    name: str
    inputs: str
    outputs: Callable[..., tuple[tuple[tuple | None, str], ...]]


@dataclass(frozen=True)
class Op:
    """A differentiable op.

    `vjp(run, needs, inputs, outputs, grads)` gives one cotangent (or None) per input; `needs` says which inputs want one,
    `outputs` holds those whose positions stand in `saved`, in that order; `grads` may hold None. `discrete` are the positions of
    outputs that have no gradient.
    A `forward` of None is the identity of the first input.
    """

    name: str
    forward: Call | None
    vjp: Callable[[Run, tuple, tuple, tuple, tuple], tuple]
    saved: tuple[int, ...] = ()
    discrete: tuple[int, ...] = ()


def _rasterize_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    pos_clip, triangles, _, _ = inputs
    _, grad_barycentrics, grad_depth = grads
    if not needs[0] or (grad_barycentrics is None and grad_depth is None):
        return None, None, None, None
    (grad_pos_clip,) = run(_RASTERIZE_VJP, pos_clip, triangles, outputs[0], grad_barycentrics, grad_depth)
    return grad_pos_clip, None, None, None


_RASTERIZE_VJP = Call(
    "rasterize_vjp",
    "Tensor pos_clip, Tensor triangles, Tensor triangle_id, Tensor? grad_barycentrics, Tensor? grad_depth",
    lambda pos_clip, *_: ((tuple(pos_clip.shape), "value"),),
)

RASTERIZE = Op(
    "rasterize",
    Call(
        "rasterize",
        "Tensor pos_clip, Tensor triangles, int height, int width",
        lambda pos_clip, triangles, height, width: (
            ((pos_clip.shape[0], height, width), "index"),
            ((pos_clip.shape[0], height, width, 2), "value"),
            ((pos_clip.shape[0], height, width), "value"),
        ),
    ),
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

INTERPOLATE = Op(
    "interpolate",
    Call(
        "interpolate",
        "Tensor attributes, Tensor triangles, Tensor triangle_id, Tensor barycentrics",
        lambda attributes, triangles, triangle_id, barycentrics: (
            ((*triangle_id.shape, attributes.shape[-1]), "value"),
        ),
    ),
    _interpolate_vjp,
)

SCREEN_DERIVATIVES = Op(
    "screen_derivatives",
    Call(
        "screen_derivatives",
        "Tensor attributes, Tensor triangles, Tensor triangle_id, Tensor pos_clip, Tensor pos_triangles",
        lambda attributes, triangles, triangle_id, *_: (((*triangle_id.shape, attributes.shape[-1], 2), "value"),),
    ),
    lambda run, needs, inputs, outputs, grads: (None,) * 5,
)

_SURFACE = "Tensor image, Tensor triangle_id, Tensor pos_clip, Tensor triangles, Tensor neighbours"


def _edge_gradient_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[2]:
        return grads[0], None, None, None, None
    (grad_pos_clip,) = run(_EDGE_GRADIENT_VJP, *inputs, grads[0])
    return grads[0], None, grad_pos_clip, None, None


_EDGE_GRADIENT_VJP = Call(
    "edge_gradient_vjp",
    _SURFACE + ", Tensor grad_image",
    lambda image, triangle_id, pos_clip, *_: ((tuple(pos_clip.shape), "value"),),
)

EDGE_GRADIENT = Op("edge_gradient", None, _edge_gradient_vjp)


def _antialias_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not (needs[0] or needs[2]):
        return None, None, None, None, None
    grad_image, grad_pos_clip = run(_ANTIALIAS_VJP, *inputs, grads[0], needs[0], needs[2])
    return grad_image, None, grad_pos_clip, None, None


_ANTIALIAS_VJP = Call(
    "antialias_vjp",
    _SURFACE + ", Tensor grad_out, bool needs_image, bool needs_pos_clip",
    lambda image, triangle_id, pos_clip, triangles, neighbours, grad_out, needs_image, needs_pos_clip: (
        (tuple(image.shape) if needs_image else None, "value"),
        (tuple(pos_clip.shape) if needs_pos_clip else None, "value"),
    ),
)

ANTIALIAS = Op(
    "antialias",
    Call("antialias", _SURFACE, lambda image, *_: ((tuple(image.shape), "value"),)),
    _antialias_vjp,
)

OPS = (RASTERIZE, INTERPOLATE, SCREEN_DERIVATIVES, EDGE_GRADIENT, ANTIALIAS)

# Every call with the number of its outputs, for frameworks that register them by name.
CALLS = (
    *((op.forward, len(op.discrete) + 2 if op is RASTERIZE else 1) for op in OPS if op.forward is not None),
    (_RASTERIZE_VJP, 1),
    (_INTERPOLATE_VJP, 2),
    (_EDGE_GRADIENT_VJP, 1),
    (_ANTIALIAS_VJP, 2),
)
