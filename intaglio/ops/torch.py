# SPDX-License-Identifier: MIT
"""PyTorch front end: an `Op` becomes an autograd.Function, a `Call` an operator of torch.library.

The operators are what torch.compile sees. Outside a compiled region the native module is called directly: to dispatch
an operator costs more than drawing a small image.
"""

from __future__ import annotations

from typing import Any

import torch

from intaglio import _native

from .calls.everything import CALLS, OPS
from .calls.op import Call, Op
from .eager import Eager

ARRAY = torch.Tensor
INDEX = torch.int32
VALUES = (torch.float32, torch.float64)

_HERE = ...  # stands for a tensor among constants

_library = torch.library.Library("intaglio", "DEF")
_operators: dict[str, Any] = {}
_functions: dict[str, Any] = {}


def _on_gpu(name: str, shape: tuple, dtype: Any, like: torch.Tensor) -> torch.Tensor | None:
    if like.is_cpu:
        return None
    _native.set_deterministic(torch.are_deterministic_algorithms_enabled())  # of this thread, which makes the call next
    try:
        return torch.empty(shape, dtype=dtype, device=like.device)
    except torch.cuda.OutOfMemoryError as error:
        raise torch.cuda.OutOfMemoryError(f"{name}: an output must fit; got {list(shape)} {dtype} ({error})") from None


_run_eagerly = Eager(
    ARRAY, INDEX, VALUES, contiguous=torch.Tensor.contiguous, empty=torch.empty, on_gpu=_on_gpu
)  # fmt: skip


def _traced_outputs(call: Call, inputs: tuple) -> tuple:
    value = _run_eagerly.value_input(inputs)
    return tuple(
        None if shape is None else value.new_empty(shape, dtype=INDEX if kind == "index" else value.dtype)
        for shape, kind in call.outputs(*inputs)
    )


def _run(call: Call, *inputs: Any) -> tuple:
    if not torch.compiler.is_compiling():
        return _run_eagerly(call, *inputs)
    # An operator has a fixed number of tensors; those that are not wanted travel as empty ones.
    outputs = _operators[call.name](*inputs)
    outputs = (outputs,) if isinstance(outputs, torch.Tensor) else outputs
    wanted = [shape is not None for shape, _ in call.outputs(*inputs)]
    return tuple(x if want else None for x, want in zip(outputs, wanted, strict=True))


def _define(call: Call, num_outputs: int) -> None:
    def returned(outputs: tuple) -> Any:
        some = next(x for x in outputs if x is not None)
        tensors = tuple(some.new_empty(0) if x is None else x for x in outputs)
        return tensors[0] if num_outputs == 1 else tensors

    def run(*inputs: Any) -> Any:
        return returned(_run_eagerly(call, *inputs))

    def trace(*inputs: Any) -> Any:
        return returned(_traced_outputs(call, inputs))

    returns = ", ".join(["Tensor"] * num_outputs)
    _library.define(f"{call.name}({call.inputs}) -> ({returns})")
    _library.impl(call.name, run, "CPU")
    _library.impl(call.name, run, "CUDA")
    torch.library.register_fake(f"intaglio::{call.name}", trace, lib=_library)
    _operators[call.name] = getattr(torch.ops.intaglio, call.name)


class _Backward:
    """One call of an op's vjp: what it is made from, tensors apart, and which cotangents came out."""

    def __init__(self, op: Op, needs: tuple, constants: tuple, num_saved: int, grads: tuple):
        self.op, self.needs, self.constants, self.num_saved = op, needs, constants, num_saved
        self.has_grad = tuple(x is not None for x in grads)
        self.has_cotangent: tuple = ()

    def run(self, tensors: tuple) -> tuple:
        rest = iter(tensors)
        inputs = tuple([next(rest) if x is _HERE else x for x in self.constants])
        outputs = tuple([next(rest) for _ in range(self.num_saved)])
        grads = tuple([next(rest) if has else None for has in self.has_grad])
        if self.op.vjp is None:
            return (None,) * len(inputs)
        return self.op.vjp(_run, self.needs, inputs, outputs, grads)


class _OnceDifferentiable(torch.autograd.Function):
    """The vjp as a function of its own, for those who might differentiate it again: they are told that it cannot be."""

    @staticmethod
    def forward(backward: _Backward, *tensors: Any) -> tuple:
        cotangents = backward.run(tensors)
        backward.has_cotangent = tuple(x is not None for x in cotangents)
        return tuple(x.view_as(x) for x in cotangents if x is not None)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        ctx.name = inputs[0].op.name

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple:
        raise ValueError(f"{ctx.name}: differentiates once; got a second derivative (its gradient has no gradient)")


def _define_function(op: Op) -> Any:
    class Function(torch.autograd.Function):
        @staticmethod
        def forward(*inputs: Any) -> tuple:
            return (inputs[0].view_as(inputs[0]),) if op.forward is None else _run(op.forward, *inputs)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
            ctx.constants = tuple([_HERE if isinstance(x, torch.Tensor) else x for x in inputs])
            tensors = [x for x in inputs if isinstance(x, torch.Tensor)]
            ctx.save_for_backward(*tensors, *[output[i] for i in op.saved])
            ctx.mark_non_differentiable(*[output[i] for i in op.discrete])
            ctx.set_materialize_grads(False)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> tuple:
            tensors = (*ctx.saved_tensors, *(x for x in grads if x is not None))
            backward = _Backward(op, ctx.needs_input_grad, ctx.constants, len(op.saved), grads)
            if torch.compiler.is_compiling() or not torch.is_grad_enabled():
                return backward.run(tensors)
            found = iter(_OnceDifferentiable.apply(backward, *tensors))
            return tuple(next(found) if has else None for has in backward.has_cotangent)

        @staticmethod
        def vmap(info: Any, in_dims: tuple, *inputs: Any) -> None:
            raise ValueError(f"{op.name}: must not be vmapped; got torch.vmap (the ops take batches: pass [B, ...])")

    return Function


def _forward(op: Op, inputs: tuple) -> tuple:
    if op.vjp is None:
        inputs = tuple(x.detach() if isinstance(x, torch.Tensor) else x for x in inputs)
    return (inputs[0],) if op.forward is None else _run(op.forward, *inputs)


def _is_tracked(op: Op, inputs: tuple) -> bool:
    if op.vjp is None:
        return False
    return torch.is_grad_enabled() and any(isinstance(x, torch.Tensor) and x.requires_grad for x in inputs)


def _each_once(inputs: tuple) -> list:
    """Tensors that are given twice as views of themselves: torch.compile takes none twice."""
    return [
        x.view_as(x) if isinstance(x, torch.Tensor) and any(x is y for y in inputs[:k]) else x
        for k, x in enumerate(inputs)
    ]


def apply(op: Op, *inputs: Any) -> tuple:
    function = _functions[op.name]
    if torch.compiler.is_compiling():
        return function.apply(*_each_once(inputs)) if _is_tracked(op, inputs) else _forward(op, inputs)
    if torch._C._are_functorch_transforms_active():
        return function.apply(*inputs)
    if not _is_tracked(op, inputs):
        return _forward(op, inputs)
    # Function.apply without its inspection of the signature, which only functorch needs and which costs an op's time.
    return super(torch.autograd.Function, function).apply(*inputs)


def layout_of(x: torch.Tensor) -> str | None:
    return None if x.layout is torch.strided else str(x.layout)


def device_of(x: torch.Tensor) -> str:
    return "cpu" if x.is_cpu else str(x.device)


for _call, _num_outputs in CALLS:
    _define(_call, _num_outputs)
for _op in OPS:
    _functions[_op.name] = _define_function(_op)
