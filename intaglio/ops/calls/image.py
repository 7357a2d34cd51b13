# SPDX-License-Identifier: MIT
"""Whole images."""

from __future__ import annotations

from .op import Call, Op, Run


def _downsample_vjp(run: Run, needs: tuple, inputs: tuple, outputs: tuple, grads: tuple) -> tuple:
    if grads[0] is None or not needs[0]:
        return None, None
    return *run(_DOWNSAMPLE_VJP, grads[0], inputs[1]), None


_DOWNSAMPLE = Call(
    "downsample",
    "Tensor image, int factor",
    lambda image, factor: (
        ((image.shape[0], image.shape[1] // factor, image.shape[2] // factor, image.shape[3]), "value"),
    ),
)

_DOWNSAMPLE_VJP = Call(
    "downsample_vjp",
    "Tensor grad_out, int factor",
    lambda grad_out, factor: (
        ((grad_out.shape[0], grad_out.shape[1] * factor, grad_out.shape[2] * factor, grad_out.shape[3]), "value"),
    ),
)

DOWNSAMPLE = Op("downsample", _DOWNSAMPLE, _downsample_vjp)

OPS = (DOWNSAMPLE,)
CALLS = ((_DOWNSAMPLE, 1), (_DOWNSAMPLE_VJP, 1))
