# SPDX-License-Identifier: MIT
"""NumPy front end: the ops forward."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intaglio import _native

from .calls.op import LARGE, Call, Op

ARRAY = np.ndarray
INDEX = np.dtype(np.int32)
VALUES = (np.dtype(np.float32), np.dtype(np.float64))


def _run(call: Call, *inputs: Any) -> tuple:
    inputs = tuple(np.ascontiguousarray(x) if isinstance(x, np.ndarray) else x for x in inputs)
    value = next(x for x in inputs if isinstance(x, np.ndarray) and x.dtype in VALUES)
    outputs = tuple(_empty(shape, kind, value) for shape, kind in call.outputs(*inputs))
    getattr(_native, call.name)(*inputs, *outputs)
    return outputs


def _empty(shape: tuple | None, kind: str, like: np.ndarray) -> np.ndarray | None:
    if shape is None:
        return None
    if math.prod(shape) >= LARGE:
        return _native.recycled_array(like, shape, kind == "index")
    return np.empty(shape, INDEX if kind == "index" else like.dtype)


def apply(op: Op, *inputs: Any) -> tuple:
    return (inputs[0],) if op.forward is None else _run(op.forward, *inputs)


def layout_of(x: np.ndarray) -> str | None:
    return None


def device_of(x: Any) -> str:
    return "cpu"
