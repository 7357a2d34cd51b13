# SPDX-License-Identifier: MIT
"""Adam on one array whose gradient is given, in any framework."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from ..array import namespace

__all__ = ["Adam"]

EPSILON = 1e-8  # as everywhere since the paper


class Adam(NamedTuple):
    """An array on its way, and what Adam remembers of its gradients. A step may take the memory of the one before.

    parameter: any shape.
    mean, mean_square: of the gradients so far, early ones forgotten.
    num_steps: how many there were.

    Kingma, Ba: Adam, 2015, algorithm 1.
    """

    parameter: Any
    mean: Any
    mean_square: Any
    num_steps: int = 0

    @staticmethod
    def start(parameter: Any) -> Adam:
        xp = namespace(parameter)
        return Adam(parameter, xp.zeros_like(parameter), xp.zeros_like(parameter))

    def step(
        self, grad: Any, learning_rate: float, betas: tuple[float, float] = (0.9, 0.999), *, uniform: bool = False
    ) -> Adam:
        """After one step against `grad`, which has the shape of the parameter.

        Args:
            learning_rate: about how far each number moves.
            betas: how much of the mean gradient, and of the mean squared gradient, the step keeps.

        Other arguments:
            uniform: all numbers are divided by one length, that of the largest, so that a smooth gradient makes a
                smooth step.

        `uniform`: Nicolet, Jacobson, Jakob: Large Steps in Inverse Rendering of Geometry, 2021, section 4.
        """
        num_steps = self.num_steps + 1
        keep_mean, keep_square = betas
        # Both corrections for the zeros that the means begin with, of which the second stands under the root.
        correct = (1 - keep_square**num_steps) ** 0.5
        rate = learning_rate * correct / (1 - keep_mean**num_steps)
        weights = (1 - keep_mean, 1 - keep_square, -rate, EPSILON * correct)
        update = _update(namespace(grad), uniform)
        parameter, mean, mean_square = update(self.parameter, self.mean, self.mean_square, grad, *weights)
        return Adam(parameter, mean, mean_square, num_steps)


@cache
def _update(xp: Any, uniform: bool) -> Callable[..., tuple]:
    """Of parameter, mean and mean square; compiled as one where a framework compiles."""

    def update(
        parameter: Any,
        mean: Any,
        mean_square: Any,
        grad: Any,
        weight: float,
        weight_of_square: float,
        rate: float,
        epsilon: float,
    ) -> tuple:
        mean = xp.lerp_into(mean, grad, weight)
        square = xp.max(grad * grad) if uniform else grad * grad
        mean_square = xp.lerp_into(mean_square, square, weight_of_square)
        return xp.add_quotient_into(parameter, mean, xp.sqrt(mean_square) + epsilon, rate), mean, mean_square

    return xp.compiled(update)
