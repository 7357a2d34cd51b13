# SPDX-License-Identifier: MIT
"""The mean of supersampled pixels."""

import numpy as np
import pytest
import torch

import intaglio


def test_four_samples_become_their_mean() -> None:
    samples = np.arange(8, dtype=np.float32).reshape(1, 2, 4, 1)
    assert intaglio.downsample(samples, 2).tolist() == [[[[2.5], [4.5]]]]


def test_a_factor_of_one_changes_nothing() -> None:
    samples = np.ones((1, 3, 5, 2))
    assert intaglio.downsample(samples, 1) is samples


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_every_sample_gets_its_share_of_the_gradient(factor: int, channels: int) -> None:
    samples = torch.rand(2, 2 * factor, 3 * factor, channels, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: intaglio.downsample(x, factor), samples)


def test_a_factor_must_divide_the_size() -> None:
    message = (
        r"^downsample: factor must be a whole number that divides the image's size \(4, 6\); got 4 "
        r"\(render at factor x size\)$"
    )
    with pytest.raises(ValueError, match=message):
        intaglio.downsample(np.zeros((1, 4, 6, 3)), 4)
