# SPDX-License-Identifier: MIT
"""PyTorch front end: every `Op` becomes an autograd.Function, every `Call` an operator of torch.library.

The operators are what torch.compile sees. Outside a compiled region the native module is called directly: dispatching an
operator costs more than drawing a small image.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from intaglio import _native

from . import calls
from .calls.op import LARGE, Call, Op

ARRAY = torch.Tensor
INDEX = torch.int32
VALUES = (torch.float32, torch.float64)

_library = torch.library.Library("intaglio", "DEF")
_operators: dict[str, Any] = {}
_functions: dict[str, Any] = {}


def _value_input(inputs: tuple) -> torch.Tensor:
    return next(x for x in inputs if isinstance(x, torch.Tensor) and x.dtype in VALUES)


def _traced_outputs(call: Call, inputs: tuple) -> tuple:
    value = _value_input(inputs)
    return tuple(
        None if shape is None else value.new_empty(shape, dtype=INDEX if kind == "index" else value.dtype)
        for shape, kind in call.outputs(*inputs)
    )


def _run_eagerly(call: Call, *inputs: Any) -> tuple:
    inputs = tuple(x.contiguous() if isinstance(x, torch.Tensor) else x for x in inputs)
    value = _value_input(inputs)
    outputs = tuple(_empty(shape, kind, value) for shape, kind in call.outputs(*inputs))
    getattr(_native, call.name)(*inputs, *outputs)
    return outputs


def _empty(shape: tuple | None, kind: str, like: torch.Tensor) -> torch.Tensor | None:
    if shape is None:
        return None
    if math.prod(shape) >= LARGE:
        return _native.recycled_array(like, shape, kind == "index")
    return torch.empty(shape, dtype=INDEX if kind == "index" else like.dtype)


def _run(call: Call, *inputs: Any) -> tuple:
    if not torch.compiler.is_compiling():
        return _run_eagerly(call, *inputs)
    # An operator has a fixed number of tensors; those that are not wanted travel as empty ones.
    outputs = _operators[call.name](*inputs)
    wanted = [shape is not None for shape, _ in call.outputs(*inputs)]
    return tuple(x if want else None for x, want in zip(outputs, wanted, strict=True))


def _define(call: Call, num_outputs: int) -> None:
    def with_placeholders(outputs: tuple) -> tuple:
        return tuple(torch.empty(0) if x is None else x for x in outputs)

    def run(*inputs: Any) -> tuple:
        return with_placeholders(_run_eagerly(call, *inputs))

    def trace(*inputs: Any) -> tuple:
        return with_placeholders(_traced_outputs(call, inputs))

    returns = ", ".join(["Tensor"] * num_outputs)
    _library.define(f"{call.name}({call.inputs}) -> ({returns})")
    _library.impl(call.name, run, "CPU")
    torch.library.register_fake(f"intaglio::{call.name}", trace, lib=_library)
    _operators[call.name] = getattr(torch.ops.intaglio, call.name)


class _Once(torch.autograd.Function):
    """The identity of cotangents, which says what is wrong when they are differentiated again."""

    @staticmethod
    def forward(name: str, count: int, *tensors: Any) -> tuple:
        return tuple(x.view_as(x) for x in tensors[:count])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        ctx.name = inputs[0]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple:
        raise ValueError(f"{ctx.name}: differentiates once; got a second derivative (its gradient has no gradient)")


def _differentiable_once(name: str, cotangents: tuple, sources: tuple) -> tuple:
    wanted = [x for x in cotangents if x is not None]
    sources = tuple(x for x in sources if isinstance(x, torch.Tensor) and x.is_floating_point())
    marked = iter(_Once.apply(name, len(wanted), *wanted, *sources))
    return tuple(None if x is None else next(marked) for x in cotangents)


def _define_function(op: Op) -> Any:
    class Function(torch.autograd.Function):
        @staticmethod
        def forward(*inputs: Any) -> tuple:
            return (inputs[0].view_as(inputs[0]),) if op.forward is None else _run(op.forward, *inputs)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
            ctx.constants = tuple(None if isinstance(x, torch.Tensor) else x for x in inputs)
            tensors = [x for x in inputs if isinstance(x, torch.Tensor)]
            ctx.save_for_backward(*tensors, *(output[i] for i in op.saved))
            ctx.mark_non_differentiable(*(output[i] for i in op.discrete))
            ctx.set_materialize_grads(False)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> tuple:
            saved = list(ctx.saved_tensors)
            inputs = tuple(saved.pop(0) if x is None else x for x in ctx.constants)
            cotangents = op.vjp(_run, ctx.needs_input_grad, inputs, tuple(saved), grads)
            if torch.compiler.is_compiling() or not torch.is_grad_enabled():
                return cotangents
            return _differentiable_once(op.name, cotangents, (*inputs, *grads))

        @staticmethod
        def vmap(info: Any, in_dims: tuple, *inputs: Any) -> None:
            raise ValueError(f"{op.name}: must not be vmapped; got torch.vmap (the ops take batches: pass [B, ...])")

    return Function


def apply(op: Op, *inputs: Any) -> tuple:
    function = _functions[op.name]
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return function.apply(*inputs)
    # Function.apply without its inspection of the signature, which only functorch needs and which costs as much as an op.
    return super(torch.autograd.Function, function).apply(*inputs)


def device_of(x: torch.Tensor) -> str:
    return x.device.type


for _call, _num_outputs in calls.CALLS:
    _define(_call, _num_outputs)
for _op in calls.OPS:
    _functions[_op.name] = _define_function(_op)
