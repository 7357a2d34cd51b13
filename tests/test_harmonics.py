# SPDX-License-Identifier: MIT
"""Spherical harmonics at pixels."""

import numpy as np
import pytest
from shading import IDS, SIZE, fragments_of, gradient_along

from intaglio import ops


def harmonics_of(directions):
    """[n, 9]: each of the functions at [n, 3]."""
    planes = np.broadcast_to(directions, (9, 1, *directions.shape)).copy()
    coefficients = np.broadcast_to(np.eye(9)[..., None], (9, 9, 3)).copy()
    ids = np.zeros(planes.shape[:3], np.int32)
    return ops.spherical_harmonics(planes, coefficients, fragments_of(ids))[:, 0, :, 0].T


def test_they_are_orthonormal():
    # Gauss-Legendre times equal steps of the turn integrates products of two of degree 2 exactly.
    z, weight = np.polynomial.legendre.leggauss(5)
    z, turn = np.meshgrid(z, 2 * np.pi * np.arange(8) / 8, indexing="ij")
    radius = np.sqrt(1 - z**2)
    directions = np.stack([radius * np.cos(turn), radius * np.sin(turn), z], axis=-1).reshape(-1, 3)
    values = harmonics_of(directions)
    solid = np.repeat(weight, 8) * 2 * np.pi / 8
    np.testing.assert_allclose((values * solid[:, None]).T @ values, np.eye(9), atol=1e-14)


def test_each_is_largest_along_its_axis_with_a_positive_sign():
    names = {
        1: (0, 1, 0),
        2: (0, 0, 1),
        3: (1, 0, 0),
        4: (1, 1, 0),
        5: (0, 1, 1),
        6: (0, 0, 1),
        7: (1, 0, 1),
        8: (1, 0, 0),
    }
    directions = np.random.default_rng(0).normal(size=(500, 3))
    others = harmonics_of(directions).max(axis=0)
    for index, axis in names.items():
        assert harmonics_of(np.array([axis], float))[0, index] >= others[index] > 0


def test_the_length_of_a_direction_does_not_matter():
    directions = np.random.default_rng(0).normal(size=(20, 3))
    np.testing.assert_allclose(harmonics_of(directions), harmonics_of(1000 * directions), atol=1e-14)


def test_the_background_is_dark():
    value = ops.spherical_harmonics(np.ones((*SIZE, 3)), np.ones((9, 3)), fragments_of(IDS))
    assert (value[IDS < 0] == 0).all()
    assert (value[IDS >= 0] != 0).all()


@pytest.mark.parametrize("shape", [(9, 3), (2, 9, 3)])
@pytest.mark.parametrize("name", ["directions", "coefficients"])
def test_gradients_are_what_differences_say(name, shape):
    rng = np.random.default_rng(1)
    x = {"directions": rng.normal(size=(*SIZE, 3)), "coefficients": rng.normal(size=shape)}
    got, expected, scale = gradient_along(ops.spherical_harmonics, x, name, 0)
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-7 * scale)  # 1e-16 / 1e-6, and short directions bend most
