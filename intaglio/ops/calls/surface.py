# SPDX-License-Identifier: MIT
"""Values of vertices, along the edges of their surface."""

from __future__ import annotations

from .op import Call, Op, Run


def _smooth_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[0]:
        return (None,) * 5
    return *run(_SMOOTH, grads[0], *inputs[1:]), None, None, None, None  # a symmetric map is its own vjp


_SMOOTH = Call(
    "smooth",
    "Tensor values, Tensor starts, Tensor ends, int rounds, float share",
    lambda values, *_: ((tuple(values.shape), "value"),),
)

SMOOTH = Op("smooth", _SMOOTH, _smooth_vjp)

OPS = (SMOOTH,)
CALLS = ((_SMOOTH, 1),)
