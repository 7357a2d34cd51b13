# SPDX-License-Identifier: MIT
"""PyTorch's tensors."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch

from .numpy import Namespace as Numpy


class Namespace:
    """torch.Tensor; axis and keepdims are names that torch takes as well as its own dim and keepdim."""

    name = "torch"
    sqrt, sin, cos, sum, mean = torch.sqrt, torch.sin, torch.cos, torch.sum, torch.mean
    exp, atan2 = torch.exp, torch.atan2
    where, stack = torch.where, torch.stack
    split, unstack = torch.split, torch.unbind
    zeros_like, ones_like, broadcast_to = torch.zeros_like, torch.ones_like, torch.broadcast_to
    concat, permute_dims, reshape, squeeze = torch.cat, torch.permute, torch.reshape, torch.squeeze
    min, max = torch.amin, torch.amax

    @staticmethod
    def maximum(x: Any, y: Any) -> Any:
        return torch.clamp(x, min=y)  # torch.maximum takes no number

    @staticmethod
    def matrix_transpose(x: Any) -> Any:
        return x.mT

    @staticmethod
    def contiguous(x: Any) -> Any:
        return x.contiguous()

    @staticmethod
    def channels(x: Any, start: int, stop: int) -> Any:
        return x[..., start:stop]

    @staticmethod
    def take(x: Any, index: Any, axis: int) -> Any:
        first = x.movedim(axis, 0)  # along another axis than the first, torch takes 5 to 15 times as long
        rows = torch.index_select(first.flatten(1) if first.ndim > 2 else first, 0, index)
        return rows.reshape(index.shape[0], *first.shape[1:]).movedim(0, axis)

    @staticmethod
    def cross(a: Any, b: Any) -> Any:  # torch.cross without dim takes the first axis of length 3
        return torch.linalg.cross(*torch.broadcast_tensors(a, b), dim=-1)

    @staticmethod
    def index_sum(values: Any, index: Any, num_rows: int) -> Any:
        first = values.movedim(-2, 0)  # as in take
        total = torch.zeros((num_rows, *first.shape[1:]), dtype=values.dtype, device=values.device)
        return total.index_add(0, index, first).movedim(0, -2)

    @staticmethod
    def counting(count: int, other: Any) -> Any:
        return torch.arange(count, dtype=other.dtype, device=other.device)

    @staticmethod
    def index_array(x: Any) -> Any:
        return x.to(torch.int64)  # with int32 the gradient of index_select takes 6 times as long

    @staticmethod
    def cast(x: Any, other: Any) -> Any:
        return x.to(device=other.device, dtype=other.dtype)

    @staticmethod
    def floating(x: Any) -> Any:
        return x if x.is_floating_point() else x.float()

    @staticmethod
    def is_capturing(x: Any) -> bool:
        """Whether what is done to `x` becomes a CUDA graph."""
        return x.is_cuda and not torch.compiler.is_compiling() and torch.cuda.is_current_stream_capturing()

    @classmethod
    def constant(cls, x: np.ndarray, other: Any) -> Any:
        if cls.is_capturing(other):
            return _written(x, other)
        # The host need not wait: what a GPU is yet to read of memory like this has been copied.
        return torch.from_numpy(np.array(x)).to(device=other.device, dtype=other.dtype, non_blocking=True)

    @classmethod
    def lasting(cls, make: Callable[[], np.ndarray], other: Any) -> Any:
        return _brought(make, other.device, other.dtype) if cls.is_known(other) else cls.constant(make(), other)

    @staticmethod
    def to_numpy(x: Any) -> np.ndarray:
        return x.detach().cpu().numpy()

    @staticmethod
    def from_numpy(x: np.ndarray, like: Any = None, device: Any = None) -> Any:
        return torch.from_numpy(np.array(x)).to(device=device if like is None else like.device)

    @staticmethod
    def on_device(x: Any, device: Any) -> Any:
        return x if device is None else x.to(device)

    @staticmethod
    def covered(index: Any, other: Any) -> Any:
        # One pass; a comparison and a conversion of its booleans take three times as long.
        return torch.ge(index, 0, out=torch.empty(index.shape, dtype=other.dtype, device=index.device))

    @staticmethod
    def wants_gradient(x: Any) -> bool:
        return x.requires_grad

    @staticmethod
    def is_tracked(x: Any) -> bool:
        return x.requires_grad and torch.is_grad_enabled()

    @staticmethod
    def is_known(x: Any) -> bool:
        return not (torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active())

    @staticmethod
    def stop_gradient(x: Any) -> Any:
        return x.detach()

    @staticmethod
    def lerp_into(x: Any, y: Any, weight: float) -> Any:
        return x.lerp_(y, weight)

    @staticmethod
    def add_quotient_into(x: Any, y: Any, z: Any, weight: float) -> Any:
        return x.addcdiv_(y, z, value=weight)

    @staticmethod
    def tanh(x: Any) -> Any:
        return 2 * torch.sigmoid(2 * x) - 1  # torch.tanh takes eight times as long

    @staticmethod
    def value_and_grad(function: Callable[..., tuple]) -> Callable[..., tuple]:
        def found(x: Any, *others: Any) -> tuple:
            x = x.detach().requires_grad_()
            values = function(x, *others)
            return *(value.detach() for value in values), *torch.autograd.grad(values[0], x)

        return found

    @staticmethod
    def gpu(index: int) -> Any:
        return torch.device("cuda", index) if index < torch.cuda.device_count() else None

    @staticmethod
    def use_one_thread() -> None:
        torch.set_num_threads(1)

    @staticmethod
    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        return function


@cache
def _brought(make: Callable[[], np.ndarray], device: Any, dtype: Any) -> Any:
    """The host waits, this once: whatever the stream of a later call, it is there."""
    with torch.inference_mode(False):  # others may differentiate what comes of it
        return torch.from_numpy(np.array(make())).to(device=device, dtype=dtype)


def _written(x: np.ndarray, other: Any) -> Any:
    """Numbers that come with launches, since a graph takes no copies of the host's memory; so they should be few."""
    places = np.flatnonzero(x)
    if len(places) > 256:
        found = f"a CUDA graph cannot be given a NumPy array of {list(x.shape)}"
        raise RuntimeError(f"{found}: bring it to the GPU before the capture")
    constant = torch.zeros(x.shape, dtype=other.dtype, device=other.device)
    for place in places:
        constant.view(-1)[place].fill_(x.flat[place].item())
    return constant


Numpy.is_traced = staticmethod(torch.compiler.is_compiling)  # type: ignore[method-assign]
