# SPDX-License-Identifier: MIT
"""JAX's arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..trees import make_known_to


class Namespace:
    """jax.Array, traced or not. What is made of NumPy arrays is no part of a trace, so that it can be kept."""

    name = "jax"
    sqrt, sin, cos, sum, mean = jnp.sqrt, jnp.sin, jnp.cos, jnp.sum, jnp.mean
    where, maximum, stack, cross = jnp.where, jnp.maximum, jnp.stack, jnp.cross
    zeros_like, ones_like, broadcast_to, concat = jnp.zeros_like, jnp.ones_like, jnp.broadcast_to, jnp.concat
    permute_dims, take, reshape, min, max = jnp.permute_dims, jnp.take, jnp.reshape, jnp.min, jnp.max
    matrix_transpose, stop_gradient, squeeze = jnp.matrix_transpose, jax.lax.stop_gradient, jnp.squeeze
    exp, tanh, atan2 = jnp.exp, jnp.tanh, jnp.arctan2

    @staticmethod
    def channels(x: Any, start: int, stop: int) -> Any:
        return x[..., start:stop]

    @staticmethod
    def split(x: Any, counts: Sequence[int]) -> Any:
        return jax.lax.split(x, counts)

    @staticmethod
    def unstack(x: Any) -> Any:
        return jnp.unstack(x)

    @staticmethod
    def index_sum(values: Any, index: Any, num_rows: int) -> Any:
        total = jnp.zeros((*values.shape[:-2], num_rows, values.shape[-1]), dtype=values.dtype)
        return total.at[..., index, :].add(values)

    @staticmethod
    def counting(count: int, other: Any) -> Any:
        return jnp.arange(count, dtype=other.dtype)

    @staticmethod
    def index_array(x: Any) -> Any:
        return x

    contiguous = index_array  # all arrays are

    @staticmethod
    def cast(x: Any, other: Any) -> Any:
        return x.astype(other.dtype)

    @staticmethod
    def floating(x: Any) -> Any:
        return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.float32)

    @staticmethod
    def constant(x: np.ndarray, other: Any) -> Any:
        return Namespace.from_numpy(x.astype(other.dtype))

    @staticmethod
    def lasting(make: Callable[[], np.ndarray], other: Any) -> Any:
        return Namespace.constant(make(), other)

    @staticmethod
    def to_numpy(x: Any) -> np.ndarray:
        if not Namespace.is_known(x):
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
    def wants_gradient(x: Any) -> bool:
        return False

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

    compiled = staticmethod(jax.jit)

    @staticmethod
    def gpu(index: int) -> Any:
        try:
            return dict(enumerate(jax.devices("cuda"))).get(index)
        except RuntimeError:  # there is no such platform
            return None

    @staticmethod
    def use_one_thread() -> None:
        """Not to be had: XLA's threads are its own."""


make_known_to(jax.tree_util.register_pytree_node)
