# SPDX-License-Identifier: MIT
"""The frameworks beside one another: how each makes arrays and gradients. NumPy, which has none, gives values alone."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import numpy as np

from intaglio.array import framework, namespace, to_numpy

Inputs = dict[str, Any]
Function = Callable[[Inputs], Iterable[Any]]


class Found(NamedTuple):
    """What a function gave, and the gradients of `loss_of` it, all in NumPy."""

    outputs: list[np.ndarray]
    gradients: dict[str, np.ndarray]


def of_numpy(function: Function, x: Inputs, wanted: Iterable[str]) -> tuple[list, Inputs]:
    return list(function(x)), {}


def of_torch(function: Function, x: Inputs, wanted: Iterable[str]) -> tuple[list, Inputs]:
    for name in wanted:
        x[name].requires_grad_()
    outputs = list(function(x))
    loss = loss_of(outputs)
    if loss is not None and loss.requires_grad:
        loss.backward()
    return outputs, {name: x[name].grad for name in wanted}


def of_paddle(function: Function, x: Inputs, wanted: Iterable[str]) -> tuple[list, Inputs]:
    for name in wanted:
        x[name].stop_gradient = False
    outputs = list(function(x))
    loss = loss_of(outputs)
    if loss is not None and not loss.stop_gradient:
        loss.backward()
    return outputs, {name: x[name].grad for name in wanted}


def of_jax(function: Function, x: Inputs, wanted: Iterable[str]) -> tuple[list, Inputs]:
    outputs = list(function(x))
    leaves = {name: x[name] for name in wanted}
    return outputs, jax.grad(lambda leaves: loss_of(function(x | leaves)))(leaves) if leaves else {}


FRAMEWORKS = {"numpy": of_numpy, "torch": of_torch, "paddle": of_paddle, "jax": of_jax}
DIFFERENTIATING = [name for name in FRAMEWORKS if name != "numpy"]


def arrays(name: str, values: dict[str, np.ndarray], dtype: Any = np.float32) -> Inputs:
    """The values in the framework called `name`, floats as `dtype`."""
    xp = framework(name)
    return {key: xp.from_numpy(x.astype(dtype) if x.dtype.kind == "f" else x) for key, x in values.items()}


def evaluate(
    name: str, function: Function, values: dict[str, np.ndarray], wanted: Iterable[str] = (), dtype: Any = np.float32
) -> Found:
    """Outputs of a function of arrays in one framework, and the gradients to the inputs `wanted`; 0 for None."""
    outputs, gradients = FRAMEWORKS[name](function, arrays(name, values, dtype), wanted)
    assert {namespace(x).name for x in outputs} <= {name}
    return Found(
        [to_numpy(x).copy() for x in outputs],
        {key: np.zeros_like(values[key], dtype) if g is None else to_numpy(g).copy() for key, g in gradients.items()},
    )


def loss_of(outputs: Iterable[Any]) -> Any:
    """A smooth loss in which every element of every floating-point output counts differently."""
    total = None
    for output in outputs:
        xp = namespace(output)
        if "float" in str(output.dtype):
            ramp = np.linspace(0.5, 1.5, max(int(np.prod(output.shape)), 1)).reshape(output.shape)
            part = xp.sum(xp.constant(ramp, output) * output * (output + 1))
            total = part if total is None else total + part
    return total
