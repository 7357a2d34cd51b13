# SPDX-License-Identifier: MIT
"""The table of the split-sum approximation."""

import numpy as np
import pytest

from intaglio.split_sum import split_sum_table

TABLE = split_sum_table()


def test_it_is_a_table_of_64_roughnesses_by_64_cosines_that_is_made_once():
    assert (TABLE.shape, TABLE.dtype) == ((64, 64, 2), np.float32)
    assert split_sum_table() is TABLE


def test_no_more_is_reflected_than_falls_on_it():
    assert (TABLE >= 0).all()
    assert (TABLE.sum(axis=-1) <= 1 + np.finfo(np.float32).eps).all()


def test_mirrors_reflect_by_fresnels_term_alone():
    cosine = np.linspace(0, 1, 64)
    edge = (1 - cosine) ** 5
    # A lobe as wide as alpha = 0.002 blurs and hides a little, the more the flatter it is seen.
    np.testing.assert_allclose(TABLE[0, 8:], np.stack([1 - edge, edge], axis=-1)[8:], atol=2e-3)


def test_rough_surfaces_lose_light_between_their_facets():
    assert (np.diff(TABLE[8:, 32].sum(axis=-1)) < 0).all()


def test_the_sums_over_directions_are_precise():
    # By a sum over the hemisphere at one rough entry, apart from any sampling.
    alpha2, cosine = (62 / 63) ** 4, 20 / 63
    angle, weight = np.polynomial.legendre.leggauss(200)
    angle, turn = np.meshgrid(np.pi / 4 * (angle + 1), np.pi * (np.arange(200) + 0.5) / 200, indexing="ij")
    viewer = np.array([np.sqrt(1 - cosine**2), 0, cosine])
    light = np.stack([np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)], axis=-1)
    half = light + viewer
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    distribution = alpha2 / (np.pi * (half[..., 2] ** 2 * (alpha2 - 1) + 1) ** 2)
    visibility = 1.0
    for c in (cosine, light[..., 2]):
        visibility = visibility / (c + np.sqrt(alpha2 + (1 - alpha2) * c**2))
    part = distribution * visibility * light[..., 2] * np.sin(angle) * np.pi / 4 * weight[:, None] * 2 * np.pi / 200
    edge = (1 - half @ viewer) ** 5
    np.testing.assert_allclose(TABLE[62, 20], [(part * (1 - edge)).sum(), (part * edge).sum()], atol=2e-3)


def test_the_roughest_metal_seen_head_on():
    # alpha = 1: every direction h is as frequent, and the sum over the hemisphere of l / (1 + l) is 1 - log 2.
    assert TABLE[63, 63].sum() == pytest.approx(1 - np.log(2), abs=1e-3)
