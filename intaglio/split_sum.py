# SPDX-License-Identifier: MIT
"""How much of an even light a rough surface reflects: the second factor of the split-sum approximation."""

from __future__ import annotations

import numpy as np

from .once import once

__all__ = ["split_sum_table"]

SIZE = 64
_LEAST_ALPHA = 0.045**2  # as native/math/brdf.h
_TURNS, _HEIGHTS = 12, 24  # samples of each entry, around the half sphere and along its axis


@once
def split_sum_table() -> np.ndarray:
    """[64, 64, 2] float32: scale A and bias B of F0, so that F0 A + B of light from everywhere alike is reflected.

    Row: roughness, column: the cosine between normal and viewer; both from 0 to 1, ends included: entry (j, i) is that
    of roughness j / 63 and cosine i / 63. The surface is that of `ops.shade_metallic`.

    Example:
        >>> split_sum_table()[0, 63].round(3)  # a mirror seen from the front reflects F0
        array([1., 0.], dtype=float32)

    Karis: Real Shading in Unreal Engine 4, 2013. Sampled by the microfacets that the viewer sees: Dupuy, Benyoub:
    Sampling Visible GGX Normals with Spherical Caps, 2023.
    """
    numbers = np.linspace(0, 1, SIZE)
    rows = [_reflected(numbers, max(roughness**2, _LEAST_ALPHA)) for roughness in numbers]
    return np.stack(rows).astype(np.float32)


def _reflected(cosine: np.ndarray, alpha: float) -> np.ndarray:
    """[n, 2] for n cosines to the viewer, who stands in the plane y = 0. The other half of the sphere mirrors this."""
    turn = np.pi * (np.arange(_TURNS, dtype=np.float64)[:, None, None] + 0.5) / _TURNS
    height, weight = (x[:, None] / 2 for x in np.polynomial.legendre.leggauss(_HEIGHTS))
    sine = np.sqrt(1 - cosine**2)
    # The viewer as seen from a sphere that is stretched to the ellipsoid of GGX; then a point of the cap above it.
    stretched = 1 / np.sqrt(alpha**2 * sine**2 + cosine**2)
    across, up = alpha * sine * stretched, cosine * stretched
    z = (1 - up) / 2 - height * (1 + up)
    radius = np.sqrt(1 - z**2)
    normal = np.stack([alpha * (radius * np.cos(turn) + across), alpha * radius * np.sin(turn), z + up + 0 * turn])
    normal /= np.sqrt((normal**2).sum(axis=0))
    seen = normal[0] * sine + normal[2] * cosine
    to_light = np.maximum(2 * seen * normal[2] - cosine, 0)
    unmasked = 2 * to_light / (to_light + np.sqrt(alpha**2 + (1 - alpha**2) * to_light**2))
    edge = unmasked * np.clip(1 - seen, 0, 1) ** 5
    return np.stack([(weight * x).mean(axis=0).sum(axis=0) for x in (unmasked - edge, edge)], axis=-1)
