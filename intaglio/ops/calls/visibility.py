# SPDX-License-Identifier: MIT
"""Gradients of what moves when visibility changes."""

from __future__ import annotations

from .geometry import GEOMETRY, num_images
from .op import Call, Op, Run

_SEEN = "Tensor image, Tensor triangle_id, " + GEOMETRY
_SURFACE = _SEEN + ", Tensor neighbours"


def _edge_gradient_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[2]:
        return grads[0], *(None,) * (len(inputs) - 1)
    (grad_pos_clip,) = run(_EDGE_GRADIENT_VJP, *inputs, grads[0])
    return grads[0], None, grad_pos_clip, None, None, None


_EDGE_GRADIENT_VJP = Call(
    "edge_gradient_vjp",
    _SURFACE + ", Tensor grad_image",
    lambda image, triangle_id, pos_clip, *_: ((tuple(pos_clip.shape), "value"),),
)

EDGE_GRADIENT = Op("edge_gradient", None, _edge_gradient_vjp)


def _silhouette_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[1] is None or not needs[0]:
        return (None,) * len(inputs)
    triangle_id, image = outputs
    (grad_pos_clip,) = run(_EDGE_GRADIENT_VJP, image, triangle_id, *inputs[:4], grads[1])
    return grad_pos_clip, *(None,) * (len(inputs) - 1)


_SILHOUETTE = Call(
    "silhouette",
    GEOMETRY + ", Tensor neighbours, bool cull_backfaces, int height, int width",
    lambda pos_clip, triangles, ranges, neighbours, cull_backfaces, height, width: (
        ((num_images(pos_clip, ranges), height, width), "index"),
        ((num_images(pos_clip, ranges), height, width, 1), "value"),
    ),
)

SILHOUETTE = Op("silhouette", _SILHOUETTE, _silhouette_vjp, saved=(0, 1), discrete=(0,))


def _silhouette_error_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[0]:
        return (None,) * len(inputs)
    (grad_pos_clip,) = run(_SILHOUETTE_ERROR_VJP, *outputs, grads[0])
    return grad_pos_clip, *(None,) * (len(inputs) - 1)


# A framework would multiply with threads of its own, and let them spin for milliseconds afterwards.
_SILHOUETTE_ERROR_VJP = Call(
    "silhouette_error_vjp",
    "Tensor derivative, Tensor grad_error",
    lambda derivative, *_: ((tuple(derivative.shape), "value"),),
)

_SILHOUETTE_ERROR = Call(
    "silhouette_error",
    "Tensor pos_clip, Tensor triangles, Tensor neighbours, Tensor target, bool cull_backfaces, "
    "int supersample, bool needs_grad",
    lambda pos_clip, triangles, neighbours, target, cull_backfaces, supersample, needs_grad: (
        ((pos_clip.shape[0],), "value"),
        (tuple(pos_clip.shape) if needs_grad else None, "value"),
    ),
)


# The error is all that is made of the silhouette, so its gradient is known in the forward pass but for a factor.
SILHOUETTE_ERROR = Op("silhouette_error", _SILHOUETTE_ERROR, _silhouette_error_vjp, saved=(1,), discrete=(1,))

_COMPARED = GEOMETRY + ", Tensor neighbours, Tensor target, bool cull_backfaces, int supersample"


def _silhouette_error_of_ranges_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[0]:
        return (None,) * len(inputs)
    (grad_pos_clip,) = run(_SILHOUETTE_ERROR_OF_RANGES_VJP, *inputs, grads[0])
    return grad_pos_clip, *(None,) * (len(inputs) - 1)


_SILHOUETTE_ERROR_OF_RANGES_VJP = Call(
    "silhouette_error_of_ranges_vjp",
    _COMPARED + ", Tensor grad_error",
    lambda pos_clip, *_: ((tuple(pos_clip.shape), "value"),),
)

_SILHOUETTE_ERROR_OF_RANGES = Call(
    "silhouette_error_of_ranges",
    _COMPARED,
    lambda pos_clip, triangles, ranges, *_: (((num_images(pos_clip, ranges),), "value"),),
)

# A vertex may be in several images, whose errors have cotangents of their own: they are drawn again with those.
SILHOUETTE_ERROR_OF_RANGES = Op(
    "silhouette_error_of_ranges", _SILHOUETTE_ERROR_OF_RANGES, _silhouette_error_of_ranges_vjp
)


def _antialias_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not (needs[0] or needs[2]):
        return (None,) * len(inputs)
    grad_image, grad_pos_clip = run(_ANTIALIAS_VJP, *inputs, grads[0], needs[0], needs[2])
    return grad_image, None, grad_pos_clip, None, None, None


_ANTIALIAS_VJP = Call(
    "antialias_vjp",
    _SURFACE + ", Tensor grad_out, bool needs_image, bool needs_pos_clip",
    lambda image, triangle_id, pos_clip, triangles, ranges, neighbours, grad_out, needs_image, needs_pos_clip: (
        (tuple(image.shape) if needs_image else None, "value"),
        (tuple(pos_clip.shape) if needs_pos_clip else None, "value"),
    ),
)

_ANTIALIAS = Call("antialias", _SURFACE, lambda image, *_: ((tuple(image.shape), "value"),))

ANTIALIAS = Op(
    "antialias",
    _ANTIALIAS,
    _antialias_vjp,
)


def _sweep_gradient_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[2]:
        return grads[0], *(None,) * (len(inputs) - 1)
    (grad_pos_clip,) = run(_SWEEP_GRADIENT_VJP, *inputs, grads[0])
    return grads[0], None, grad_pos_clip, None, None, None


_SWEEP_GRADIENT_VJP = Call(
    "sweep_gradient_vjp",
    _SEEN + ", float eps, Tensor grad_image",
    lambda image, triangle_id, pos_clip, *_: ((tuple(pos_clip.shape), "value"),),
)

SWEEP_GRADIENT = Op("sweep_gradient", None, _sweep_gradient_vjp)

OPS = (EDGE_GRADIENT, SILHOUETTE, SILHOUETTE_ERROR, SILHOUETTE_ERROR_OF_RANGES, ANTIALIAS, SWEEP_GRADIENT)
CALLS = (
    (_SILHOUETTE, 2),
    (_SILHOUETTE_ERROR, 2),
    (_SILHOUETTE_ERROR_VJP, 1),
    (_SILHOUETTE_ERROR_OF_RANGES, 1),
    (_SILHOUETTE_ERROR_OF_RANGES_VJP, 1),
    (_EDGE_GRADIENT_VJP, 1),
    (_ANTIALIAS, 1),
    (_ANTIALIAS_VJP, 2),
    (_SWEEP_GRADIENT_VJP, 1),
)
