# SPDX-License-Identifier: MIT
"""Lenses by the names that COLMAP and NeRF's files give them, as projections and back.

COLMAP, Camera Models, https://colmap.github.io/cameras.html. Its pixels have their upper left corner at (0, 0) and
their centres at half-integers; those of `Intrinsics` and `Fisheye` have integer centres.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...camera import Fisheye, Intrinsics
from .checks import Place, Planes

__all__ = ["MODELS", "Lens", "lens_of", "projection_of"]

ANY_K = "end the name in .npz"
MIDDLE = 0.5  # from a pixel's corner to its centre


class Model(NamedTuple):
    """number: COLMAP's. names: of its parameters, in order. fisheye: whether the angle is bent, not its tangent."""

    number: int
    names: tuple[str, ...]
    fisheye: bool = False


ONE_FOCAL, TWO_FOCALS = ("f", "cx", "cy"), ("fx", "fy", "cx", "cy")
MODELS = {
    "SIMPLE_PINHOLE": Model(0, ONE_FOCAL),
    "PINHOLE": Model(1, TWO_FOCALS),
    "SIMPLE_RADIAL": Model(2, (*ONE_FOCAL, "k1")),
    "RADIAL": Model(3, (*ONE_FOCAL, "k1", "k2")),
    "OPENCV": Model(4, (*TWO_FOCALS, "k1", "k2", "p1", "p2")),
    "OPENCV_FISHEYE": Model(5, (*TWO_FOCALS, "k1", "k2", "k3", "k4"), fisheye=True),
    "FULL_OPENCV": Model(6, (*TWO_FOCALS, "k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")),
    "SIMPLE_RADIAL_FISHEYE": Model(8, (*ONE_FOCAL, "k1"), fisheye=True),
    "RADIAL_FISHEYE": Model(9, (*ONE_FOCAL, "k1", "k2"), fisheye=True),
}
# In which order the coefficients stand in `distortion`.
ORDER = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
FISHEYE_ORDER = ("k1", "k2", "k3", "k4")


class Lens(NamedTuple):
    """A lens' numbers by name, pixels with their centres at half-integers. Without coefficients, they are 0."""

    numbers: dict[str, float]
    fisheye: bool = False

    def holds(self, names: Sequence[str]) -> bool:
        """Whether parameters of these names are enough to say it."""
        numbers = dict(self.numbers)
        if "f" in names and numbers["fx"] != numbers["fy"]:
            return False
        known = {"fx", "fy", "cx", "cy", *names}
        return all(value == 0 for name, value in numbers.items() if name not in known)

    def values(self, names: Sequence[str]) -> list[float]:
        """Its parameters of these names."""
        return [self.numbers.get("fx" if name == "f" else name, 0.0) for name in names]


def projection_of(place: Place, lens: Lens, size: tuple[int, int], planes: Planes) -> Intrinsics | Fisheye:
    """What projects as the lens does.

    Raises:
        InputError: a number is not finite, or a focal length not positive.
    """
    numbers = lens.numbers
    if not np.isfinite(list(numbers.values())).all():
        place.fail("its lens must be given in finite numbers")
    if not (numbers["fx"] > 0 and numbers["fy"] > 0):
        place.fail(f"focal lengths must be positive; got {numbers['fx']:g} and {numbers['fy']:g}")
    K = np.array(
        [[numbers["fx"], 0, numbers["cx"] - MIDDLE], [0, numbers["fy"], numbers["cy"] - MIDDLE], [0, 0, 1]], np.float64
    )
    order = FISHEYE_ORDER if lens.fisheye else ORDER
    coefficients = np.array([numbers.get(name, 0.0) for name in order])
    if lens.fisheye:
        return Fisheye(K, size, coefficients, near=planes.near, far=planes.far)
    count = next(count for count in (0, 4, 5, 8) if not coefficients[count:].any())
    return Intrinsics(K, size, coefficients[:count] if count else None, planes.near, planes.far)


def lens_of(place: Place, projection: Intrinsics | Fisheye) -> Lens:
    """The lens of a projection of one camera, for a picture of its `image_size`.

    Raises:
        InputError: it has skew or a thin prism's distortion, which these names have no place for.
    """
    K = np.asarray(projection.K, np.float64)
    if K[0, 1] or K[1, 0] or (K[2] != (0, 0, 1)).any():
        place.fail("has no place for the skew of a K", remedy=ANY_K)
    numbers = {"fx": K[0, 0], "fy": K[1, 1], "cx": K[0, 2] + MIDDLE, "cy": K[1, 2] + MIDDLE}
    is_fisheye = isinstance(projection, Fisheye)
    distortion = [] if projection.distortion is None else np.asarray(projection.distortion, np.float64).tolist()
    order = FISHEYE_ORDER if is_fisheye else ORDER
    if any(distortion[len(order) :]):
        place.fail("has no place for a thin prism's distortion", remedy=ANY_K)
    numbers |= dict(zip(order, distortion, strict=False))
    return Lens({name: float(value) for name, value in numbers.items()}, is_fisheye)
