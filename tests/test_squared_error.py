# SPDX-License-Identifier: MIT
"""`squared_error`: a sum, its gradient, and its rounding."""

import numpy as np
import pytest
import torch

from intaglio import ops


def test_it_is_a_sum_and_no_mean():
    assert ops.squared_error(np.array([1.0, 2.0, 4.0]), np.array([1.0, 0.0, 1.0])) == 13


def test_its_gradient_is_twice_the_difference_on_both_sides():
    image = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    target = torch.tensor([1.0, 0.0, 1.0], requires_grad=True)
    (3 * ops.squared_error(image, target)).backward()
    assert image.grad.tolist() == [0, 12, 18]
    assert target.grad.tolist() == [0, -12, -18]


@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (3, 512, 512, 3)])
def test_it_agrees_with_float64_to_a_rounding_per_block(shape):
    rng = np.random.default_rng(0)
    image, target = (np.asarray(rng.normal(size=shape), dtype=np.float32) for _ in range(2))
    exact = ((image.astype(float) - target.astype(float)) ** 2).sum()
    # Differences, squares and blocks of 16384 are rounded to float32: each once, all terms positive.
    assert float(ops.squared_error(image, target)) == pytest.approx(exact, rel=4 * 2.0**-24)
