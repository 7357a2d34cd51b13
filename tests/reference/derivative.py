# SPDX-License-Identifier: MIT
"""Derivatives of functions of NumPy arrays, by two methods that share nothing with automatic differentiation."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def complex_step(function: Callable[[Array], Array], point: Array, direction: Array) -> Array:
    """Directional derivative, exact to rounding: Im f(x + i h v) / h has no cancellation, so h may be tiny.

    `function` must be built from analytic operations only (no abs, no comparison of complex numbers).
    Source: Squire & Trapp 1998, Using complex variables to estimate derivatives of real functions.
    """
    step = 1e-40
    return np.imag(function(point + 1j * step * direction)) / step


def central(function: Callable[[Array], Array], point: Array, direction: Array, step: float = 1e-6) -> Array:
    """Directional derivative (f(x + h v) - f(x - h v)) / 2h; error h^2 f''' / 6 + eps |f| / h."""
    return (function(point + step * direction) - function(point - step * direction)) / (2.0 * step)


def gradient(function: Callable[[Array], float], point: Array) -> Array:
    """Full gradient of a scalar function, one complex step per element."""
    result = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        direction = np.zeros(point.shape)
        direction[index] = 1.0
        result[index] = complex_step(function, point, direction)
    return result
