# SPDX-License-Identifier: MIT
"""One array namespace for every framework: what lies above the ops is written once, in Array-API names.

`namespace(x)` finds the framework by the array's type and looks the answer up in a dict, so that it costs a tenth of a
microsecond and survives `torch.compile` (which cannot trace the import of its file: a framework imported after this
module must have been met once before). An array of a framework can exist only where that framework is imported, so
nothing is imported here unless asked for by name. To add a framework, write one more file beside this one and name it
in `_FRAMEWORKS`.

Beyond the Array-API names, which mean what the standard says, a namespace has `cross` (last axis), `channels` (x[...,
start:stop]), `contiguous` (dense and row-major, a copy if need be), `index_sum` (rows of `values` summed into the row
`index`, in order, so that the result is the same every time), `index_array` (the integers that `take` and `index_sum`
are fastest with), `floating` (integers as float32, floats as they are), `split` (the rows of an array in parts of so
many each), `constant` (a NumPy array as a new array of the device and float type of another), `stop_gradient`,
`wants_gradient` (whether it is a parameter or made of one, recorded or not), and `compiled` (of a function of arrays
and numbers that is called many times). Those with gradients also have `value_and_grad` (of a function whose first
argument is an array and whose first result a scalar: a function that gives those results, without their graph, and the
gradient), `lerp_into(x, y, weight)` and `add_quotient_into(x, y, z, weight)` (x + weight (y - x) and x + weight y / z,
either of which may have overwritten x), `gpu` (what the framework calls that of a number, None where it sees none), and
`use_one_thread`, for programs whose arrays are small.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from .numpy import Namespace as Numpy

__all__ = [
    "as_float_array",
    "cross",
    "default_framework",
    "framework",
    "frameworks_with_gradients",
    "from_numpy",
    "is_known",
    "joined",
    "leader",
    "like",
    "namespace",
    "repeated",
    "taken",
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
    if name not in _FRAMEWORKS:
        raise ValueError(f"array: framework must be one of {', '.join(_FRAMEWORKS)}; got {name!r}")
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
    return [name for name in _FRAMEWORKS if name != "numpy"]


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
    if namespace(x) is not Numpy:
        raise TypeError(f"array: must be of {xp.name} like the others; got {namespace(x).name}")
    return xp.constant(np.asarray(x), other)


def leader(*arrays: Any) -> Any:
    """The array whose framework a result follows: the first that is not NumPy's, else the first."""
    return next((x for x in arrays if x is not None and namespace(x) is not Numpy), arrays[0])


def is_known(x: Any) -> bool:
    """Whether the values of `x` can be read: not while a framework traces the code to transform it."""
    return namespace(x).is_known(x)


def as_float_array(x: Any, dtype: Any = np.float32) -> Any:
    """Arrays of floats stay as they are; lists and numbers, and NumPy's integers, become NumPy arrays of `dtype`, the
    others' integers float32. (While torch.compile traces, NumPy's integers stay too: it cannot tell.)
    """
    xp = namespace(x)
    if xp is not Numpy:
        return xp.floating(x)
    array = np.asarray(x)
    is_float = isinstance(x, np.ndarray) and (Numpy.is_traced() or array.dtype.kind == "f")
    return array if is_float else array.astype(dtype)


def cross(a: Any, b: Any) -> Any:
    """Cross product along the last axis, which has three components. Differentiable. Broadcasts."""
    return namespace(a).cross(a, b)


def unit(v: Any) -> Any:
    """`v` divided by its length along the last axis; where the length is 0, 0 with a finite gradient."""
    xp = namespace(v)
    squared = xp.sum(v * v, axis=-1, keepdims=True)
    return v / xp.sqrt(xp.where(squared > 0, squared, xp.ones_like(squared)))


def joined(*parts: Any) -> Any:
    """[N]s and [B, N]s joined along the last axis: [N], or [B, N]. They follow the first that is not NumPy's."""
    lead = leader(*parts)
    parts = tuple(like(part, lead) for part in parts)
    batch = next((part.shape[:1] for part in parts if part.ndim == 2), ())
    xp = namespace(lead)
    return xp.concat([xp.broadcast_to(part, (*batch, part.shape[-1])) for part in parts], axis=-1)


def repeated(x: Any, count: int) -> Any:
    """[n, ...] -> [count, ...], a multiple of n: each row as often, one copy behind the other. Differentiable."""
    n, *row = x.shape
    if n == count:
        return x
    xp = namespace(x)
    copies = xp.broadcast_to(xp.reshape(x, (n, 1, *row)), (n, count // n, *row))
    return xp.reshape(copies, (count, *row))


def taken(x: Any, places: Sequence[int], axis: int = 0) -> Any:
    """Those at some places along an axis. Differentiable."""
    xp = namespace(x)
    return xp.take(x, xp.index_array(from_numpy(np.array(places, np.int32), like=x)), axis=axis)


# Those with gradients in the order in which they are taken by default.
_FRAMEWORKS = ("numpy", "torch", "paddle", "jax")
_BY_NAME: dict[str, Any] = {"numpy": Numpy}
_BY_TYPE: dict[type, Any] = dict.fromkeys((np.ndarray, list, tuple, int, float), Numpy)


def _by_name(name: str) -> Any:
    if name not in _BY_NAME:
        # Written out: torch.compile can follow an import statement, but not importlib.
        module: Any
        if name == "torch":
            from . import torch as module
        elif name == "paddle":
            from . import paddle as module
        else:
            from . import jax as module
        _BY_NAME[name] = module.Namespace
    return _BY_NAME[name]


def _register(cls: type) -> Any:
    for base in cls.__mro__:  # torch.nn.Parameter is a torch.Tensor, numpy.float32 a numpy.generic
        root = base.__module__.partition(".")[0]
        if root in _FRAMEWORKS:
            _BY_TYPE[cls] = _by_name(root)
            return _BY_TYPE[cls]
    raise TypeError(f"array: must be an array of {', '.join(_FRAMEWORKS)}; got {cls.__module__}.{cls.__qualname__}")


for _name in sys.modules.keys() & set(_FRAMEWORKS):
    _by_name(_name)
