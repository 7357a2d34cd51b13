# SPDX-License-Identifier: MIT
"""NumPy's arrays, numbers and lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


class Namespace:
    """NumPy from 1.24 on, which has not all of the standard's names yet."""

    name = "numpy"
    sqrt, sin, cos, sum, mean = np.sqrt, np.sin, np.cos, np.sum, np.mean
    atan2 = np.arctan2
    where, maximum, stack = np.where, np.maximum, np.stack
    zeros_like, ones_like, broadcast_to, concat = np.zeros_like, np.ones_like, np.broadcast_to, np.concatenate
    permute_dims, take, reshape, min, max, squeeze = np.transpose, np.take, np.reshape, np.min, np.max, np.squeeze

    @staticmethod
    def cross(a: Any, b: Any) -> Any:  # by components: three times as fast as numpy.cross on small arrays
        a0, a1, a2, b0, b1, b2 = (v[..., k] for v in (a, b) for k in range(3))
        return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=-1)

    @staticmethod
    def matrix_transpose(x: Any) -> Any:
        return np.swapaxes(x, -1, -2)

    @staticmethod
    def split(x: Any, counts: Sequence[int]) -> Any:
        return np.split(x, np.cumsum(counts[:-1]))

    @staticmethod
    def unstack(x: Any) -> Any:
        return list(x)

    @staticmethod
    def contiguous(x: Any) -> Any:
        return np.ascontiguousarray(x)

    @staticmethod
    def channels(x: Any, start: int, stop: int) -> Any:
        return x[..., start:stop]

    @staticmethod
    def index_sum(values: Any, index: Any, num_rows: int) -> Any:
        total = np.zeros((*values.shape[:-2], num_rows, values.shape[-1]), dtype=values.dtype)
        np.add.at(np.moveaxis(total, -2, 0), index, np.moveaxis(values, -2, 0))
        return total

    @classmethod
    def counting(cls, count: int, other: Any) -> Any:
        """[count] 0, 1, 2 ... like another array, whose dtype torch.compile does not tell of NumPy's."""
        return np.arange(count, dtype=np.float64 if cls.is_traced() else other.dtype)

    @staticmethod
    def index_array(x: Any) -> Any:
        return np.asarray(x, dtype=np.int64)

    @staticmethod
    def is_traced() -> bool:  # torch.compile traces NumPy too, all but dtypes; torch's namespace puts the answer here
        return False

    @classmethod
    def cast(cls, x: Any, other: Any) -> Any:
        return np.asarray(x) if cls.is_traced() else np.asarray(x, dtype=other.dtype)

    @staticmethod
    def to_numpy(x: Any) -> np.ndarray:
        return np.asarray(x)

    @staticmethod
    def from_numpy(x: np.ndarray, like: Any = None, device: Any = None) -> np.ndarray:
        return x

    @classmethod
    def constant(cls, x: Any, other: Any) -> Any:
        return cls.cast(x, other)

    @classmethod
    def lasting(cls, make: Callable[[], np.ndarray], other: Any) -> Any:
        """A constant that `make` makes, brought to a device but once."""
        return cls.constant(make(), other)

    @staticmethod
    def on_device(x: Any, device: Any) -> Any:
        return x

    @staticmethod
    def covered(index: Any, other: Any) -> Any:
        return (index >= 0).astype(other.dtype)

    @staticmethod
    def wants_gradient(x: Any) -> bool:
        return False

    @staticmethod
    def is_tracked(x: Any) -> bool:
        return False

    @classmethod
    def is_known(cls, x: Any) -> bool:
        return not cls.is_traced()

    @staticmethod
    def stop_gradient(x: Any) -> Any:
        return x

    @staticmethod
    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        return function
