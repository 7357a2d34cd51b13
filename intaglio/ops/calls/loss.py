# SPDX-License-Identifier: MIT
"""Losses that are worth an op: each reads its images once."""

from __future__ import annotations

from .op import Call, Op, Run


def _squared_error_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not (needs[0] or needs[1]):
        return None, None
    (grad_image,) = run(_SQUARED_ERROR_VJP, *inputs, grads[0])
    return grad_image if needs[0] else None, -grad_image if needs[1] else None


_SQUARED_ERROR_VJP = Call(
    "squared_error_vjp",
    "Tensor image, Tensor target, Tensor grad_out",
    lambda image, *_: ((tuple(image.shape), "value"),),
)

_SQUARED_ERROR = Call("squared_error", "Tensor image, Tensor target", lambda *_: (((), "value"),))

SQUARED_ERROR = Op("squared_error", _SQUARED_ERROR, _squared_error_vjp)

OPS = (SQUARED_ERROR,)
CALLS = ((_SQUARED_ERROR, 1), (_SQUARED_ERROR_VJP, 1))
