# SPDX-License-Identifier: MIT
"""Native calls on arrays whose values are there, as torch, paddle and NumPy run them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from intaglio import _native

from .calls.op import LARGE, Call

Array = Any


class Eager:
    """Runs calls on the arrays of one framework and makes what they fill."""

    def __init__(
        self,
        array: Any,
        index: Any,
        values: tuple,
        *,
        contiguous: Callable[[Array], Array],
        empty: Callable[..., Array],
        on_gpu: Callable[[str, tuple, Any, Array], Array | None] = lambda name, shape, dtype, like: None,
    ) -> None:
        """on_gpu(call's name, shape, dtype, like): an array beside `like` if that is on a GPU."""
        self._array, self._index, self._values, self._contiguous, self._empty = array, index, values, contiguous, empty
        self._on_gpu = on_gpu

    def __call__(self, call: Call, *inputs: Any) -> tuple:
        array, contiguous = self._array, self._contiguous
        inputs = tuple([contiguous(x) if isinstance(x, array) else x for x in inputs])
        value = self.value_input(inputs)
        outputs = tuple([self._output(call.name, shape, kind, value) for shape, kind in call.outputs(*inputs)])
        getattr(_native, call.name)(*inputs, *outputs)
        return outputs

    def value_input(self, inputs: tuple) -> Array:
        """The first floating-point array, whose dtype the outputs have."""
        for x in inputs:
            if isinstance(x, self._array) and x.dtype in self._values:
                return x
        raise TypeError("no input has values")

    def _output(self, name: str, shape: tuple | None, kind: str, like: Array) -> Array | None:
        if shape is None:
            return None
        dtype = self._index if kind == "index" else like.dtype
        if (made := self._on_gpu(name, shape, dtype, like)) is not None:
            return made
        if math.prod(shape) >= LARGE:
            return _native.recycled_array(like, shape, kind == "index")
        return self._empty(shape, dtype=dtype)
