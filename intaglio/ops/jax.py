# SPDX-License-Identifier: MIT
"""JAX front end: an `Op` becomes a jitted jax.custom_vjp, a `Call` a foreign function of XLA.

Works under jit, grad, vmap (image by image), scan and shard_map. What the native code objects to while an op runs by
itself is a ValueError; within a jitted program it is whatever JAX makes of it, with the same text: a ValueError, or a
jax.errors.JaxRuntimeError when the results are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NoReturn

import jax
import numpy as np
from jax import lax

from intaglio import _native

from .calls.everything import OPS
from .calls.op import Call, Op

ARRAY = jax.Array  # tracers too
INDEX = np.dtype(np.int32)
VALUES = (np.dtype(np.float32), np.dtype(np.float64))

_TARGET = "intaglio"
_OPS = {op.name: op for op in OPS}
_HERE = ...  # stands for an array among constants
# Functions kept, one for each op and its constants: to make one anew is to compile it anew.
_KEPT = 1024


def _run(call: Call, *inputs: Any) -> tuple:
    arrays = [x for x in inputs if isinstance(x, jax.Array)]
    numbers = [float(x) for x in inputs if isinstance(x, int | float)]
    value = next(x for x in arrays if x.dtype in VALUES)
    outputs = call.outputs(*inputs)
    wanted = [
        jax.ShapeDtypeStruct(shape, INDEX if kind == "index" else value.dtype)
        for shape, kind in outputs
        if shape is not None
    ]
    given = "".join(map(_letter, inputs)) + "".join("-" if shape is None else "o" for shape, _ in outputs)
    function = jax.ffi.ffi_call(_TARGET, wanted, vmap_method="sequential")
    results = function(*arrays, call=call.name, given=given, numbers=np.array(numbers, np.float64))
    found = iter(_varying(results, _axes(arrays)))
    return tuple(None if shape is None else next(found) for shape, _ in outputs)


def _letter(x: Any) -> str:
    """What native/door_xla.h says of an input."""
    return "-" if x is None else "a" if isinstance(x, jax.Array) else "n"


def _axes(arrays: Sequence[Any]) -> tuple:
    """The axes of a device mesh over which any of the arrays varies, within a shard_map that checks that."""
    types = [jax.typeof(x) for x in arrays]
    found = [x.manual_axis_type.varying if hasattr(x, "manual_axis_type") else x.vma for x in types]
    return tuple(sorted(frozenset().union(*found), key=str))


def _varying(arrays: Sequence[Any], axes: tuple) -> list:
    """The arrays, as varying over all these axes. A gradient goes back summed over those that are new."""
    return [_cast(x, tuple(axis for axis in axes if axis not in _axes([x]))) for x in arrays]


def _cast(x: Any, axes: tuple) -> Any:
    if not axes:
        return x
    if hasattr(lax, "pcast"):
        return lax.pcast(x, axes, to="varying")
    return lax.pvary(x, axes)  # type: ignore[attr-defined]  # before JAX 0.8


@lru_cache(_KEPT)
def _function(name: str, constants: tuple) -> Callable[..., tuple]:
    """The op of its arrays alone, `constants` being its other inputs with `_HERE` in the arrays' places."""
    op = _OPS[name]

    def forward(*arrays: Any) -> tuple:
        inputs = _filled(constants, arrays)
        return (inputs[0],) if op.forward is None else _run(op.forward, *inputs)

    if op.vjp is None:
        return jax.jit(lambda *arrays: forward(*map(lax.stop_gradient, arrays)))
    function = jax.custom_vjp(forward)

    def forward_and_residuals(*primals: Any) -> tuple:
        arrays = tuple(x.value for x in primals)
        outputs = function(*arrays)  # rather than forward, so that residuals are differentiable in turn
        needs = _Needs(x.perturbed for x in primals)
        return outputs, (needs, arrays, tuple(outputs[i] for i in op.saved))

    def backward(residuals: tuple, grads: tuple) -> tuple:
        needs, arrays, saved = residuals
        return _cotangents(op, constants, needs, arrays, saved, grads)

    function.defvjp(forward_and_residuals, backward, symbolic_zeros=True)
    return jax.jit(lambda *arrays: function(*_varying(arrays, _axes(arrays))))


def _filled(constants: tuple, arrays: tuple) -> tuple:
    rest = iter(arrays)
    return tuple(next(rest) if x is _HERE else x for x in constants)


@jax.tree_util.register_static
class _Needs(tuple):
    """Which arrays want a gradient: known while tracing, unlike the rest of the residuals."""


def _cotangents(op: Op, constants: tuple, needs: _Needs, arrays: tuple, outputs: tuple, grads: tuple) -> tuple:
    """A cotangent, or None, for each array."""
    is_zero = [isinstance(x, jax.custom_derivatives.SymbolicZero) for x in grads]
    has_grad = [not zero and i not in op.discrete for i, zero in enumerate(is_zero)]
    here = [x is _HERE for x in constants]
    all_needs = _filled(tuple(x if x is _HERE else False for x in constants), needs)
    assert op.vjp is not None
    vjp = op.vjp

    @jax.custom_jvp
    def run(arrays: tuple, outputs: tuple, given: list) -> tuple:
        rest = iter(given)
        all_grads = tuple(next(rest) if has else None for has in has_grad)
        cotangents = vjp(_run, all_needs, _filled(constants, arrays), outputs, all_grads)
        return tuple(x for x, is_array in zip(cotangents, here, strict=True) if is_array)

    @run.defjvp
    def run_jvp(primals: tuple, tangents: tuple) -> NoReturn:
        raise ValueError(f"{op.name}: differentiates once; got a second derivative (its gradient has no gradient)")

    return run(arrays, outputs, [x for x, has in zip(grads, has_grad, strict=True) if has])


def apply(op: Op, *inputs: Any) -> tuple:
    is_array = [isinstance(x, jax.Array) for x in inputs]
    constants = tuple(_HERE if is_one else x for x, is_one in zip(inputs, is_array, strict=True))
    arrays = [x for x, is_one in zip(inputs, is_array, strict=True) if is_one]
    try:
        return _function(op.name, constants)(*arrays)
    except (ValueError, jax.errors.JaxRuntimeError) as error:  # XLA's status stands before what the native code says
        status, found, complaint = str(error).partition("INVALID_ARGUMENT: ")
        if status or not found:
            raise
        raise ValueError(complaint) from None


def layout_of(x: jax.Array) -> str | None:
    return None


def device_of(x: jax.Array) -> str:
    # A traced array is nowhere yet; where there is no back end XLA will not find the function.
    if isinstance(x, jax.core.Tracer):
        return "cpu"
    device = next(iter(x.devices()))
    return f"cuda:{device.id}" if device.platform == "gpu" else device.platform


jax.ffi.register_ffi_target(_TARGET, _native.xla_handler, platform="cpu")
if _native.has_cuda():
    jax.ffi.register_ffi_target(_TARGET, _native.xla_handler_on_gpu, platform="CUDA")
