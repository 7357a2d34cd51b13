# SPDX-License-Identifier: MIT
"""PaddlePaddle's tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import paddle


class Namespace:
    """paddle.Tensor. Of paddle's own names those are left out whose backward ends the process in paddle 3.3 where
    only one of the inputs wants a gradient: cross, broadcast_tensors, linalg.solve, grid_sample.
    """

    name = "paddle"
    sqrt, sin, cos, where, stack = paddle.sqrt, paddle.sin, paddle.cos, paddle.where, paddle.stack
    exp, tanh, atan2 = paddle.exp, paddle.tanh, paddle.atan2
    zeros_like, ones_like, broadcast_to = paddle.zeros_like, paddle.ones_like, paddle.broadcast_to
    permute_dims, reshape, squeeze = paddle.transpose, paddle.reshape, paddle.squeeze
    matrix_transpose, split, unstack = paddle.matrix_transpose, paddle.split, paddle.unbind

    @staticmethod
    def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return paddle.sum(x, axis, keepdim=keepdims)

    @staticmethod
    def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return paddle.mean(x, axis, keepdim=keepdims)

    @staticmethod
    def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return paddle.amin(x, axis, keepdim=keepdims)

    @staticmethod
    def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return paddle.amax(x, axis, keepdim=keepdims)

    @staticmethod
    def maximum(x: Any, y: Any) -> Any:
        return paddle.clip(x, min=y)  # paddle.maximum takes no number

    @staticmethod
    def contiguous(x: Any) -> Any:
        return x.contiguous()

    @staticmethod
    def concat(arrays: Sequence[Any], axis: int = 0) -> Any:
        if axis != -1:
            return paddle.concat(arrays, axis)
        return paddle.stack([column for x in arrays for column in paddle.unbind(x, -1)], -1)  # a third of the time

    @staticmethod
    def channels(x: Any, start: int, stop: int) -> Any:
        shape = [
            *x.shape[:-1],
            stop - start,
        ]  # slicing along the last axis has a gradient that takes 5 times as long
        return paddle.crop(x, shape, [0] * (x.ndim - 1) + [start])

    @staticmethod
    def take(x: Any, index: Any, axis: int) -> Any:
        # index_select takes 8 times as long; the gradient of gather takes 5 times as long as that of embedding.
        is_rows = x.ndim == 2 and axis in (0, -2)
        return paddle.nn.functional.embedding(index, x) if is_rows else paddle.gather(x, index, axis)

    @staticmethod
    def cross(a: Any, b: Any) -> Any:
        return a.roll(-1, -1) * b.roll(1, -1) - a.roll(1, -1) * b.roll(-1, -1)

    @staticmethod
    def index_sum(values: Any, index: Any, num_rows: int) -> Any:
        first = values.moveaxis(-2, 0)  # scatter_nd_add takes half the time of index_add, but the first axis only
        total = paddle.zeros([num_rows, *first.shape[1:]], values.dtype)
        return paddle.scatter_nd_add(total, index[:, None], first).moveaxis(0, -2)

    @staticmethod
    def counting(count: int, other: Any) -> Any:
        return paddle.arange(count, dtype=other.dtype, device=other.place)

    @staticmethod
    def index_array(x: Any) -> Any:
        return x.astype(paddle.int64)

    @staticmethod
    def cast(x: Any, other: Any) -> Any:
        return x.to(other.place).astype(other.dtype)

    @staticmethod
    def floating(x: Any) -> Any:
        return x if x.is_floating_point() else x.astype("float32")

    @staticmethod
    def constant(x: np.ndarray, other: Any) -> Any:
        return paddle.to_tensor(x, other.dtype, other.place)

    @staticmethod
    def lasting(make: Callable[[], np.ndarray], other: Any) -> Any:
        return Namespace.constant(make(), other)

    @staticmethod
    def to_numpy(x: Any) -> np.ndarray:
        return np.from_dlpack(x.detach().cpu())  # Tensor.numpy copies

    @staticmethod
    def from_numpy(x: np.ndarray, like: Any = None, device: Any = None) -> Any:
        return paddle.to_tensor(x, place=device if like is None else like.place)

    @staticmethod
    def on_device(x: Any, device: Any) -> Any:
        return x if device is None else x.to(device)

    @staticmethod
    def covered(index: Any, other: Any) -> Any:
        return (index >= 0).astype(other.dtype)

    @staticmethod
    def wants_gradient(x: Any) -> bool:
        return not x.stop_gradient

    @staticmethod
    def is_tracked(x: Any) -> bool:
        return not x.stop_gradient and paddle.is_grad_enabled()

    @staticmethod
    def is_known(x: Any) -> bool:
        return True

    @staticmethod
    def stop_gradient(x: Any) -> Any:
        return x.detach()

    @staticmethod
    def lerp_into(x: Any, y: Any, weight: float) -> Any:
        return x + (y - x) * weight  # a tenth of the time of paddle.lerp

    @staticmethod
    def add_quotient_into(x: Any, y: Any, z: Any, weight: float) -> Any:
        return x + weight * y / z

    @staticmethod
    def value_and_grad(function: Callable[..., tuple]) -> Callable[..., tuple]:
        def found(x: Any, *others: Any) -> tuple:
            x = x.detach()
            x.stop_gradient = False
            values = function(x, *others)
            return *(value.detach() for value in values), *paddle.grad(values[0], x)

        return found

    @staticmethod
    def gpu(index: int) -> Any:
        is_there = paddle.device.is_compiled_with_cuda() and index < paddle.device.cuda.device_count()
        return paddle.CUDAPlace(index) if is_there else None

    @staticmethod
    def use_one_thread() -> None:
        """As it does by itself."""

    @staticmethod
    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        return function
