# SPDX-License-Identifier: MIT
"""PaddlePaddle front end: an `Op` becomes a PyLayer.

Paddle's ways shape it. A context that leads to the layer's own outputs is never freed: discrete outputs leave without
a node, and what is saved of outputs are other tensors on the same memory. A second `backward` through a PyLayer ends
the process, even after retain_graph=True: a hook on the outputs is there first. A cotangent for a tensor that wants
none is an error, and so may be none for one that wants it. An exception in backward comes out as an OSError with the
text inside: what can be checked before is.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import paddle

from intaglio import _native

from .calls.everything import OPS
from .calls.op import Op
from .eager import Eager

ARRAY = paddle.Tensor
INDEX = paddle.int32
VALUES = (paddle.float32, paddle.float64)

_functions: dict[str, Any] = {}


def _on_gpu(name: str, shape: tuple, dtype: Any, like: paddle.Tensor) -> paddle.Tensor | None:
    if not like.place.is_gpu_place():
        return None
    _native.set_deterministic(bool(paddle.get_flags("FLAGS_cudnn_deterministic")["FLAGS_cudnn_deterministic"]))
    return paddle.empty(shape, dtype=dtype, device=like.place)


_run = Eager(ARRAY, INDEX, VALUES, contiguous=lambda x: x.contiguous(), empty=paddle.empty, on_gpu=_on_gpu)


def _view(x: paddle.Tensor) -> paddle.Tensor:
    """Another tensor on the memory of `x`; that of `detach` counts as `x` itself where a layer returns it."""
    return x.view(x.shape) if x.size else x.clone()


class _Life:
    """Lives as long as the context of a layer."""

    __slots__ = ("__weakref__",)


class _Guard:
    """A hook on the outputs of a layer, which runs before it."""

    def __init__(self, name: str, life: _Life):
        self.name, self.life = name, weakref.ref(life)

    def __call__(self, grad: paddle.Tensor) -> None:
        if self.life() is None:
            remedy = "add up the losses, or call paddle.grad with retain_graph=True"
            raise ValueError(f"{self.name}: backward runs once; got a second backward ({remedy})")


class _OnceDifferentiable(paddle.autograd.PyLayer):
    """Cotangents and what they were made from, for those who might differentiate again: they are told they cannot."""

    @staticmethod
    def forward(ctx: Any, name: str, num_cotangents: int, *tensors: Any) -> tuple:
        ctx.name = name
        return tuple(_view(x) for x in tensors[:num_cotangents])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple:
        raise ValueError(f"{ctx.name}: differentiates once; got a second derivative (its gradient has no gradient)")


def _define_function(op: Op, vjp: Callable[..., tuple]) -> Any:
    class Function(paddle.autograd.PyLayer):
        @staticmethod
        def forward(ctx: Any, life: _Life, *inputs: Any) -> tuple:
            outputs = (_view(inputs[0]),) if op.forward is None else _run(op.forward, *inputs)
            ctx.inputs, ctx.saved = inputs, tuple(outputs[i].detach() for i in op.saved)
            ctx.needs = tuple(isinstance(x, paddle.Tensor) and not x.stop_gradient for x in inputs)
            ctx.life = life
            ctx.set_materialize_grads(False)
            return outputs

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> tuple:
            cotangents = vjp(_run, ctx.needs, ctx.inputs, ctx.saved, grads)
            wanted = tuple(
                None if not need else paddle.zeros_like(of) if x is None else x
                for x, need, of in zip(cotangents, ctx.needs, ctx.inputs, strict=True)
            )
            found = [x for x in wanted if x is not None]
            if found and paddle.is_grad_enabled():
                made_from = (x for x in (*ctx.inputs, *grads) if isinstance(x, paddle.Tensor))
                views = iter(_OnceDifferentiable.apply(op.name, len(found), *found, *made_from))
                wanted = tuple(None if x is None else next(views) for x in wanted)
            return tuple(x for x, of in zip(wanted, ctx.inputs, strict=True) if isinstance(of, paddle.Tensor))

    return Function


def apply(op: Op, *inputs: Any) -> tuple:
    is_tracked = paddle.is_grad_enabled() and any(isinstance(x, paddle.Tensor) and not x.stop_gradient for x in inputs)
    if op.vjp is None or not is_tracked:
        return (inputs[0].detach(),) if op.forward is None else _run(op.forward, *inputs)
    life = _Life()
    guard = _Guard(op.name, life)
    outputs = tuple(
        x.detach() if i in op.discrete else x for i, x in enumerate(_functions[op.name].apply(life, *inputs))
    )
    for i, x in enumerate(outputs):
        if i not in op.discrete:
            x.register_hook(guard)
    return outputs


def layout_of(x: paddle.Tensor) -> str | None:
    return None if x.is_dense() else "sparse" if x.is_sparse() else "distributed"


def device_of(x: paddle.Tensor) -> str:
    place = x.place
    if place.is_cpu_place():
        return "cpu"
    return f"cuda:{place.gpu_device_id()}" if place.is_gpu_place() else str(place)


for _op in OPS:
    if _op.vjp is not None:
        _functions[_op.name] = _define_function(_op, _op.vjp)
