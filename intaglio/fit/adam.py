# SPDX-License-Identifier: MIT
"""Adam on one tensor whose gradient is given. torch.optim's own takes a second and more to import."""

from __future__ import annotations

import torch

__all__ = ["Adam"]

EPSILON = 1e-8  # as everywhere since the paper


class Adam:
    """Moves a tensor, in place, against the gradients given to `step`.

    Args:
        parameter: any shape.
        learning_rate: about how far each number moves in a step.
        betas: how much of the mean gradient, and of the mean squared gradient, each step keeps.

    Other arguments:
        uniform: all numbers are divided by one length, that of the largest, so that a smooth gradient makes a smooth
            step.

    Kingma, Ba: Adam, 2015, algorithm 1; `uniform`: Nicolet, Jacobson, Jakob: Large Steps in Inverse Rendering of
    Geometry, 2021, section 4.
    """

    def __init__(
        self,
        parameter: torch.Tensor,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        *,
        uniform: bool = False,
    ) -> None:
        self.parameter, self.learning_rate, self.betas, self.uniform = parameter, learning_rate, betas, uniform
        self.mean = torch.zeros_like(parameter, requires_grad=False)
        self.mean_square = torch.zeros(()) if uniform else torch.zeros_like(self.mean)
        self.num_steps = 0

    @torch.no_grad()
    def step(self, grad: torch.Tensor) -> None:
        """Move by one step; `grad` has the shape of the parameter."""
        self.num_steps += 1
        keep_mean, keep_square = self.betas
        self.mean.lerp_(grad, 1 - keep_mean)
        largest = grad.abs().max() if self.uniform else grad
        self.mean_square.mul_(keep_square).addcmul_(largest, largest, value=1 - keep_square)
        # Both corrections for the zeros that the means begin with, of which the second stands under the root.
        correct = (1 - keep_square**self.num_steps) ** 0.5
        root = self.mean_square.sqrt().add_(EPSILON * correct)
        rate = self.learning_rate * correct / (1 - keep_mean**self.num_steps)
        self.parameter.addcdiv_(self.mean, root, value=-rate)
