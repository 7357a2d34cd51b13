# SPDX-License-Identifier: MIT
"""One array namespace for every framework: what lies above the ops is written once, in Array-API names.

`namespace(x)` finds the framework by the array's type and looks the answer up in a dict, so that it costs a tenth of a
microsecond and survives `torch.compile` (which cannot trace the making of the class: a framework imported after this
module must have been met once before). An array of a framework can exist only where that framework is imported, so
nothing is imported here unless asked for by name. To add a framework, write one more class below and name it in
`_MAKERS`.

Beyond the Array-API names, which mean what the standard says, a namespace has `cross` (last axis), `channels`
(x[..., start:stop]), `contiguous` (dense and row-major, a copy if need be), `index_sum` (rows of `values` summed into
the row `index`, in order, so that the result is the same every time), `index_array` (the integers that `take` and
`index_sum` are fastest with), `constant` (a NumPy array as a new array of the device and float type of another) and
`stop_gradient`. Those with gradients also have `value_and_grad` (of a function whose first argument is an array and
whose first result a scalar: a function that gives those results, without their graph, and the gradient),
`lerp_into(x, y, weight)` and `add_quotient_into(x, y, z, weight)` (x + weight (y - x) and x + weight y / z, either of
which may have overwritten x), and `use_one_thread`, for programs whose arrays are small.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from .trees import make_known_to

__all__ = [
    "as_float_array",
    "cross",
    "default_framework",
    "framework",
    "frameworks_with_gradients",
    "from_numpy",
    "is_known",
    "leader",
    "like",
    "namespace",
    "to_numpy",
    "unit",
]


def namespace(x: Any) -> Any:
    """The functions for arrays of the type of `x`. Numbers and lists count as NumPy.

    Raises:
        TypeError: `x` is an array of no supported framework.
    """
    return _BY_TYPE.get(type(x)) or _register(type(x))


def framework(name: str) -> Any:
    """The namespace called `name`, its framework imported, since the caller asks for it.

    Raises:
        ValueError: there is no such framework, or it is not installed.
    """
    if name not in _MAKERS:
        raise ValueError(f"array: framework must be one of {', '.join(_MAKERS)}; got {name!r}")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "No ccache found", UserWarning)  # paddle's, to who compiles extensions
            import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ValueError(f"array: {name} must be installed; got none (pip install 'intaglio[{name}]')") from error
    return _by_name(name)


def default_framework() -> str:
    """The first framework with gradients that is installed.

    Raises:
        ValueError: there is none.
    """
    for name in frameworks_with_gradients():
        if find_spec(name):
            return name
    names = ", ".join(frameworks_with_gradients())
    raise ValueError(f"array: one of {names} must be installed; got none (pip install 'intaglio[torch]' or another)")


def frameworks_with_gradients() -> list[str]:
    """Their names, those first that are taken by default."""
    return [name for name in _MAKERS if name != "numpy"]


def to_numpy(x: Any) -> np.ndarray:
    """`x` as a NumPy array: without a copy where it can be, without its gradient always."""
    return namespace(x).to_numpy(x)


def from_numpy(array: np.ndarray, like: Any) -> Any:
    """A NumPy array as one of the framework and device of `like`, its dtype kept; a copy unless it stays in NumPy."""
    return namespace(like).from_numpy(array, like)


def like(x: Any, other: Any) -> Any:
    """`x` (array, list or number) with the framework, device and dtype of the array `other`. Differentiable.

    Raises:
        TypeError: `x` belongs to another framework than NumPy and `other`, so that its gradient would be lost.
    """
    xp = namespace(other)
    if namespace(x) is xp:
        return xp.cast(x, other)
    if namespace(x) is not _Numpy:
        raise TypeError(f"array: must be of {xp.name} like the others; got {namespace(x).name}")
    return xp.constant(np.asarray(x), other)


def leader(*arrays: Any) -> Any:
    """The array whose framework a result follows: the first that is not NumPy's, else the first."""
    return next((x for x in arrays if x is not None and namespace(x) is not _Numpy), arrays[0])


def is_known(x: Any) -> bool:
    """Whether the values of `x` can be read: not while a framework traces the code to transform it."""
    return namespace(x).is_known(x)


def as_float_array(x: Any, dtype: Any = np.float32) -> Any:
    """Arrays stay as they are; lists and numbers, and NumPy's integers, become NumPy arrays of `dtype`."""
    if namespace(x) is not _Numpy:
        return x
    array = np.asarray(x)
    return array if isinstance(x, np.ndarray) and array.dtype.kind == "f" else array.astype(dtype)


def cross(a: Any, b: Any) -> Any:
    """Cross product along the last axis, which has three components. Differentiable. Broadcasts."""
    return namespace(a).cross(a, b)


def unit(v: Any) -> Any:
    """`v` divided by its length along the last axis; where the length is 0, 0 with a finite gradient."""
    xp = namespace(v)
    squared = xp.sum(v * v, axis=-1, keepdims=True)
    return v / xp.sqrt(xp.where(squared > 0, squared, xp.ones_like(squared)))


class _Numpy:
    """NumPy from 1.24 on, which has not all of the standard's names yet."""

    name = "numpy"
    sqrt, sin, cos, sum, mean = np.sqrt, np.sin, np.cos, np.sum, np.mean
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

    @staticmethod
    def index_array(x: Any) -> Any:
        return np.asarray(x, dtype=np.int64)

    @staticmethod
    def cast(x: Any, other: Any) -> Any:
        return np.asarray(x, dtype=other.dtype)

    @staticmethod
    def to_numpy(x: Any) -> np.ndarray:
        return np.asarray(x)

    @staticmethod
    def from_numpy(x: np.ndarray, like: Any = None, device: Any = None) -> np.ndarray:
        return x

    constant = cast

    @staticmethod
    def on_device(x: Any, device: Any) -> Any:
        return x

    @staticmethod
    def covered(index: Any, other: Any) -> Any:
        return (index >= 0).astype(other.dtype)

    @staticmethod
    def is_tracked(x: Any) -> bool:
        return False

    @staticmethod
    def is_known(x: Any) -> bool:
        return True

    @staticmethod
    def stop_gradient(x: Any) -> Any:
        return x


def _torch() -> Any:
    torch = sys.modules["torch"]

    class Torch:
        """torch.Tensor; axis and keepdims are names that torch takes as well as its own dim and keepdim."""

        name = "torch"
        sqrt, sin, cos, sum, mean = torch.sqrt, torch.sin, torch.cos, torch.sum, torch.mean
        exp = torch.exp
        where, stack = torch.where, torch.stack
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
        def index_array(x: Any) -> Any:
            return x.to(torch.int64)  # with int32 the gradient of index_select takes 6 times as long

        @staticmethod
        def cast(x: Any, other: Any) -> Any:
            return x.to(device=other.device, dtype=other.dtype)

        @staticmethod
        def constant(x: np.ndarray, other: Any) -> Any:
            return torch.from_numpy(np.array(x)).to(device=other.device, dtype=other.dtype)

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
        def use_one_thread() -> None:
            torch.set_num_threads(1)

    return Torch


def _paddle() -> Any:
    paddle = sys.modules["paddle"]

    class Paddle:
        """paddle.Tensor. Of paddle's own names those are left out whose backward ends the process in paddle 3.3 where
        only one of the inputs wants a gradient: cross, broadcast_tensors, linalg.solve, grid_sample.
        """

        name = "paddle"
        sqrt, sin, cos, where, stack = paddle.sqrt, paddle.sin, paddle.cos, paddle.where, paddle.stack
        exp, tanh = paddle.exp, paddle.tanh
        zeros_like, ones_like, broadcast_to = paddle.zeros_like, paddle.ones_like, paddle.broadcast_to
        permute_dims, reshape, squeeze = paddle.transpose, paddle.reshape, paddle.squeeze
        matrix_transpose = paddle.matrix_transpose

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
        def index_array(x: Any) -> Any:
            return x.astype(paddle.int64)

        @staticmethod
        def cast(x: Any, other: Any) -> Any:
            return x.to(other.place).astype(other.dtype)

        @staticmethod
        def constant(x: np.ndarray, other: Any) -> Any:
            return paddle.to_tensor(x, other.dtype, other.place)

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
        def use_one_thread() -> None:
            """As it does by itself."""

    return Paddle


def _jax() -> Any:
    jax = sys.modules["jax"]
    jnp = import_module("jax.numpy")
    make_known_to(jax.tree_util.register_pytree_node)

    class Jax:
        """jax.Array, traced or not. What is made of NumPy arrays is no part of a trace, so that it can be kept."""

        name = "jax"
        sqrt, sin, cos, sum, mean = jnp.sqrt, jnp.sin, jnp.cos, jnp.sum, jnp.mean
        where, maximum, stack, cross = jnp.where, jnp.maximum, jnp.stack, jnp.cross
        zeros_like, ones_like, broadcast_to, concat = jnp.zeros_like, jnp.ones_like, jnp.broadcast_to, jnp.concat
        permute_dims, take, reshape, min, max = jnp.permute_dims, jnp.take, jnp.reshape, jnp.min, jnp.max
        matrix_transpose, stop_gradient, squeeze = jnp.matrix_transpose, jax.lax.stop_gradient, jnp.squeeze
        exp, tanh = jnp.exp, jnp.tanh

        @staticmethod
        def channels(x: Any, start: int, stop: int) -> Any:
            return x[..., start:stop]

        @staticmethod
        def index_sum(values: Any, index: Any, num_rows: int) -> Any:
            total = jnp.zeros((*values.shape[:-2], num_rows, values.shape[-1]), dtype=values.dtype)
            return total.at[..., index, :].add(values)

        @staticmethod
        def index_array(x: Any) -> Any:
            return x

        contiguous = index_array  # all arrays are

        @staticmethod
        def cast(x: Any, other: Any) -> Any:
            return x.astype(other.dtype)

        @staticmethod
        def constant(x: np.ndarray, other: Any) -> Any:
            return Jax.from_numpy(x.astype(other.dtype))

        @staticmethod
        def to_numpy(x: Any) -> np.ndarray:
            if not Jax.is_known(x):
                remedy = "make meshes and files outside of jit and vmap, and ask for mesh.neighbours once before"
                raise ValueError(f"array: must have known values; got {x.aval} while JAX traces ({remedy})")
            return np.asarray(jax.lax.stop_gradient(x) if isinstance(x, jax.core.Tracer) else x)

        @staticmethod
        def from_numpy(x: np.ndarray, like: Any = None, device: Any = None) -> Any:
            with jax.ensure_compile_time_eval():
                return jax.device_put(jnp.array(x), device)

        @staticmethod
        def on_device(x: Any, device: Any) -> Any:
            return x if device is None else jax.device_put(x, device)

        @staticmethod
        def covered(index: Any, other: Any) -> Any:
            return (index >= 0).astype(other.dtype)

        @staticmethod
        def is_tracked(x: Any) -> bool:
            return isinstance(x, jax.core.Tracer)  # one that is not differentiated costs nothing more

        @staticmethod
        def is_known(x: Any) -> bool:  # what jax.grad follows outside of jit is
            return not isinstance(x, jax.core.Tracer) or not isinstance(jax.lax.stop_gradient(x), jax.core.Tracer)

        @staticmethod
        def lerp_into(x: Any, y: Any, weight: float) -> Any:
            return x + (y - x) * weight

        @staticmethod
        def add_quotient_into(x: Any, y: Any, z: Any, weight: float) -> Any:
            return x + weight * y / z

        @staticmethod
        def value_and_grad(function: Callable[..., tuple]) -> Callable[..., tuple]:
            @jax.jit
            def compiled(x: Any, *others: Any) -> tuple:
                def split(x: Any) -> tuple:
                    value, *rest = function(x, *others)
                    return value, rest

                (value, rest), grad = jax.value_and_grad(split, has_aux=True)(x)
                return value, *rest, grad

            return compiled

        @staticmethod
        def use_one_thread() -> None:
            """Not to be had: XLA's threads are its own."""

    return Jax


_MAKERS: dict[str, Callable[[], Any]] = {"numpy": lambda: _Numpy, "torch": _torch, "paddle": _paddle, "jax": _jax}
_BY_NAME: dict[str, Any] = {"numpy": _Numpy}
_BY_TYPE: dict[type, Any] = dict.fromkeys((np.ndarray, list, tuple, int, float), _Numpy)


def _by_name(name: str) -> Any:
    if name not in _BY_NAME:
        _BY_NAME[name] = _MAKERS[name]()
    return _BY_NAME[name]


def _register(cls: type) -> Any:
    for base in cls.__mro__:  # torch.nn.Parameter is a torch.Tensor, numpy.float32 a numpy.generic
        root = base.__module__.partition(".")[0]
        if root in _MAKERS:
            _BY_TYPE[cls] = _by_name(root)
            return _BY_TYPE[cls]
    raise TypeError(f"array: must be an array of {', '.join(_MAKERS)}; got {cls.__module__}.{cls.__qualname__}")


for _name in _MAKERS.keys() & sys.modules.keys():
    _by_name(_name)
