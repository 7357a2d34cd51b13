# SPDX-License-Identifier: MIT
"""Pictures of several layers."""

from __future__ import annotations

from .geometry import GEOMETRY
from .op import Call, Op, Run


def _composite_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[0]:
        return (None,)
    return run(_COMPOSITE_VJP, *inputs, grads[0])


_COMPOSITE_VJP = Call(
    "composite_vjp", "Tensor colors, Tensor grad_out", lambda colors, *_: ((tuple(colors.shape), "value"),)
)

_COMPOSITE = Call("composite", "Tensor colors", lambda colors: (((*colors.shape[:3], colors.shape[4]), "value"),))

COMPOSITE = Op("composite", _COMPOSITE, _composite_vjp)


def _layered_edge_gradient_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    rest = (None,) * (len(inputs) - 1)
    if grads[0] is None or not needs[4]:
        return grads[0], *rest
    (grad_pos_clip,) = run(_LAYERED_EDGE_GRADIENT_VJP, *inputs, grads[0])
    return grads[0], None, None, None, grad_pos_clip, None, None, None


_LAYERED_EDGE_GRADIENT_VJP = Call(
    "layered_edge_gradient_vjp",
    "Tensor image, Tensor colors, Tensor? background, Tensor triangle_id, "
    + GEOMETRY
    + ", Tensor neighbours, Tensor grad_image",
    lambda image, colors, background, triangle_id, pos_clip, *_: ((tuple(pos_clip.shape), "value"),),
)

LAYERED_EDGE_GRADIENT = Op("layered_edge_gradient", None, _layered_edge_gradient_vjp)

OPS = (COMPOSITE, LAYERED_EDGE_GRADIENT)
CALLS = (
    (_COMPOSITE, 1),
    (_COMPOSITE_VJP, 1),
    (_LAYERED_EDGE_GRADIENT_VJP, 1),
)
