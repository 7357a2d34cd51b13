# SPDX-License-Identifier: MIT
"""The native calls and how they differentiate, said once for every framework.

A `Call` names a function of the native module, its arguments, and the shapes of the outputs that it fills. An `Op` is a
call with its adjoint, written in calls. The front ends (numpy.py, torch.py) turn an `Op` into whatever their framework
calls a differentiable function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Array = Any
Run = Callable[..., tuple]  # run(call, *inputs) -> outputs


# From this many elements on, outputs come from recycled memory: the system's fresh pages would cost more than writing.
LARGE = 1 << 16


class Call(NamedTuple):
    """A native function: `native.<name>(*inputs, *outputs)`.

    `inputs` is the argument list in the words of torch's operator schemas; `outputs(*inputs)` gives (shape, dtype) of
    each output, where dtype "index" is int32, "value" is that of the first floating-point input, and a shape of None
    means that the output is not wanted.
    """

    name: str
    inputs: str
    outputs: Callable[..., tuple[tuple[tuple | None, str], ...]]


class Op(NamedTuple):
    """A differentiable op.

    `vjp(run, needs, inputs, outputs, grads)` gives one cotangent (or None) per input; `needs` says which inputs want
    one, `outputs` holds those whose positions stand in `saved`, in that order; `grads` may hold None. `discrete` are
    the positions of outputs that have no gradient. A `forward` of None is the identity of the first input, a `vjp`
    of None has no gradient.
    """

    name: str
    forward: Call | None
    vjp: Callable[[Run, tuple, tuple, tuple, tuple], tuple] | None
    saved: tuple[int, ...] = ()
    discrete: tuple[int, ...] = ()
