# SPDX-License-Identifier: MIT
"""Light from all around: panoramas, sharp where they are mirrored and smooth where they are gathered; smooth functions.

A panorama's row 0 is up (+y); its middle column lies along -z, where a camera looks by default, and columns to the
right of it turn towards +x. Spherical harmonics are real and orthonormal, of degree 0 to 2, in the order 1, y, z, x,
xy, yz, 3 z^2 - 1, xz, x^2 - y^2, in the world's axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from . import ops
from .array import as_float_array, from_numpy, is_known, leader, like, namespace
from .once import once
from .ops.cube import cube_directions
from .trees import tree_of_fields

__all__ = ["EnvironmentLight", "SphericalHarmonicsLight", "mirrored_shares"]

LARGEST_CUBE, SMALLEST_CUBE = 128, 8
SMALLEST_LEVEL = 4  # texels along a face that is seen fully rough
LEAST_GATHERED = 16  # texels along a face that a rough one is gathered from
LEAST_ROUGHNESS = 0.045  # as native/math/brdf.h
# What the cosine lobe keeps of each degree, divided by pi. Ramamoorthi & Hanrahan, An Efficient Representation for
# Irradiance Environment Maps, SIGGRAPH 2001, equation 8.
COSINE_LOBE = np.repeat([1.0, 2 / 3, 1 / 4], [1, 3, 5])[:, None]
# sqrt of 1 / 4 pi, 3 / 4 pi, 15 / 4 pi, 5 / 16 pi and 15 / 16 pi. Ibid., equation 3.
CONSTANT, LINEAR, PRODUCT, ZONAL, SQUARES = (math.sqrt(x / math.pi) for x in (1 / 4, 3 / 4, 15 / 4, 5 / 16, 15 / 16))


@tree_of_fields()
@dataclass(frozen=True, eq=False)
class SphericalHarmonicsLight:
    """Radiance by nine smooth functions, the cheapest light from all around to fit.

    Args:
        coefficients: [9, 3] or [B, 9, 3], differentiable; times sqrt(4 pi) the first is the mean radiance.

    Example:
        >>> dusk = np.zeros((9, 3)); dusk[0] = 2.0; dusk[1] = 0.5  # brighter above
        >>> render(mesh, camera, (256, 256), lights=[SphericalHarmonicsLight(dusk)], shading="smooth")
    """

    coefficients: Any

    def __post_init__(self) -> None:
        shape = tuple(as_float_array(self.coefficients).shape)
        if shape[-2:] != (9, 3) or len(shape) not in (2, 3):
            raise ValueError(f"SphericalHarmonicsLight: coefficients must be [9, 3] or [B, 9, 3]; got {list(shape)}")

    def irradiance_coefficients(self) -> Any:
        """[9, 3] or [B, 9, 3]: of the irradiance divided by pi, what a white matt surface shows. Differentiable."""
        coefficients = as_float_array(self.coefficients, np.float64)
        return coefficients * like(COSINE_LOBE, coefficients)

    def coefficients_by_degree(self) -> tuple[Any, Any, Any]:
        """Those of degree 0, 1 and 2, [9, 3] or [B, 9, 3] each, the others 0. Differentiable."""
        coefficients = as_float_array(self.coefficients, np.float64)
        degree = np.repeat([0, 1, 2], [1, 3, 5])[:, None]
        of_0, of_1, of_2 = (coefficients * like((degree == k).astype(np.float64), coefficients) for k in range(3))
        return of_0, of_1, of_2


def mirrored_shares(roughness: Any) -> tuple[Any, Any]:
    """How much of degree 1 and 2 a surface mirrors; of degree 0 it is all. As `roughness`, and differentiable in it."""
    shares = []
    for powers in mirrored_polynomials():
        share = 0 * roughness + powers[-1]
        for factor in reversed(powers[:-1]):
            share = share * roughness + factor
        shares.append(share)
    return shares[0], shares[1]


@once
def mirrored_polynomials() -> tuple[tuple[float, ...], ...]:
    """Two of seven numbers, what multiplies roughness^0 to roughness^6 in the shares of degree 1 and 2, within 0.001.

    They are the means of Legendre's polynomials over the lobe of native/math/prefilter.h, seen head-on.
    """
    roughness = np.linspace(0.0, 1.0, 201)[:, None]
    nodes, weights = np.polynomial.legendre.leggauss(400)
    turned = (nodes + 1) / 2  # cosines 1 - turned^6 are dense where the lobe is sharp
    cosine = 1 - turned**6
    lobe = cosine / ((1 + cosine) / 2 * (np.maximum(roughness, LEAST_ROUGHNESS) ** 4 - 1) + 1) ** 2
    lobe *= 6 * turned**5 * weights
    means = [(lobe * x).sum(axis=1) / lobe.sum(axis=1) for x in (cosine, (3 * cosine**2 - 1) / 2)]
    fitted = (np.polynomial.Polynomial.fit(roughness[:, 0], x, 6).convert() for x in means)
    return tuple(tuple(polynomial.coef.tolist()) for polynomial in fitted)


@tree_of_fields()
@dataclass(frozen=True, eq=False)
class EnvironmentLight:
    """Light from a panorama all around, infinitely far away.

    Args:
        image: [H, W, 3] or [B, H, W, 3] radiance, linear, of any range; equirectangular, row 0 up, the middle column
            along -z, columns to the right of it towards +x. Differentiable.
        intensity: a number, [] or [B], that multiplies it. Differentiable.
        rotation_degrees: a number or [], by which it is turned about y, counter-clockwise seen from above.
            Differentiable.

    What surfaces need of it is worked out once, and kept, unless an array wants a gradient; another array that is
    changed in place wants a new light.

    Raises:
        ValueError: a shape is wrong.

    Example:
        >>> sky = EnvironmentLight(load_image("sky.hdr"), rotation_degrees=90)
        >>> render(mesh, camera, (512, 512), lights=[sky], background=sky)
    """

    image: Any
    intensity: Any = 1.0
    rotation_degrees: Any = 0.0

    def __post_init__(self) -> None:
        shape = tuple(self.image.shape)
        if len(shape) not in (3, 4) or shape[-1] != 3 or 0 in shape:
            raise ValueError(f"EnvironmentLight: image must be [H, W, 3] or [B, H, W, 3]; got {list(shape)}")
        for name, axes in (("intensity", 1), ("rotation_degrees", 0)):
            if len(as_float_array(getattr(self, name)).shape) > axes:
                received, or_batch = list(getattr(self, name).shape), " or [B]" if axes else ""
                raise ValueError(f"EnvironmentLight: {name} must be a number{or_batch}; got {received}")

    def radiance(self, directions: Any) -> Any:
        """[B, h, w, 3] directions of any length, in the world -> [B, h, w, 3], as they come from there. Differentiable.

        B is 1 or that of the image where it has one. Framework and dtype are those of `directions`.
        """
        return self._looked_up(like(self.image, directions), directions)

    def prefiltered(self) -> tuple[Any, ...]:
        """A cube pyramid for `sample_cube`, [6, N, N, 3] or [B, 6, N, N, 3] and halves of it. Differentiable.

        Level l of L is what a surface of roughness l / (L - 1) mirrors, seen head-on (Karis 2013). N is about half the
        image's height, at most 128.
        """
        return self._kept("prefiltered", self._prefilter)

    def irradiance_coefficients(self) -> Any:
        """[9, 3] or [B, 9, 3], as of `SphericalHarmonicsLight`. Differentiable."""
        return self._kept("irradiance", self._project)

    def _panorama(self) -> Any:
        """The image in the framework of whatever is not NumPy's."""
        image = as_float_array(self.image)
        lead = leader(image, self.intensity, self.rotation_degrees)
        return image if namespace(image) is namespace(lead) else from_numpy(image, like=lead)

    def _looked_up(self, image: Any, directions: Any) -> Any:
        image = self._scaled(image)
        if image.ndim == 4 and directions.shape[0] != image.shape[0]:
            directions = namespace(image).broadcast_to(directions, (image.shape[0], *directions.shape[1:]))
        return ops.sample_texture(_over_the_poles(image), _places(self._turned(directions), image.shape[-3]))

    def _kept(self, name: str, find: Callable[[], Any]) -> Any:
        arrays = [as_float_array(x) for x in (self.image, self.intensity, self.rotation_degrees)]
        if any(namespace(x).wants_gradient(x) or not is_known(x) for x in arrays):
            return find()
        found = _FOUND.setdefault(self, {})
        if name not in found:
            found[name] = find()
        return found[name]

    def _scaled(self, image: Any) -> Any:
        if isinstance(self.intensity, (int, float)):
            return image if self.intensity == 1 else image * float(self.intensity)  # NumPy's would lend its dtype
        intensity = like(as_float_array(self.intensity), image)
        return image * (intensity if intensity.ndim == 0 else intensity[:, None, None, None])

    def _turned(self, directions: Any) -> Any:
        """Directions of the world -> directions in which the panorama was taken."""
        if isinstance(self.rotation_degrees, (int, float)) and self.rotation_degrees == 0:
            return directions
        xp = namespace(directions)
        angle = like(as_float_array(self.rotation_degrees, np.float64), directions) * (math.pi / 180)
        cos, sin = xp.cos(angle), xp.sin(angle)
        x, y, z = (directions[..., k] for k in range(3))
        return xp.stack([cos * x - sin * z, y, sin * x + cos * z], axis=-1)

    def _prefilter(self) -> tuple[Any, ...]:
        image = self._panorama()
        height = image.shape[-3]
        size = SMALLEST_CUBE
        while size < LARGEST_CUBE and 2 * size <= height // 2:
            size *= 2
        finer = -(-height // size)  # samples at most 2 / pi of the panorama's texels apart: none is missed
        xp = namespace(image)
        directions = like(cube_directions(size * finer), image)  # [6, n, n, 3] as six images, or one beside the other
        side = size * finer
        wide = xp.reshape(directions, (1, 6 * side, side, 3))
        faces = self._looked_up(_without_slivers(image), wide)
        faces = ops.downsample(xp.reshape(faces, (-1, side, side, 3)), finer)
        cube = xp.reshape(faces, (*image.shape[:-3], 6, size, size, 3))
        means = ops.mip_pyramid(cube)
        last = (size // SMALLEST_LEVEL).bit_length() - 1
        # A lobe is several texels of its own level wide: what it gathers need be no finer, nor coarser than some.
        finest_needed = max((size // LEAST_GATHERED).bit_length() - 1, 0)
        rough = [ops.prefilter_cube(means[min(k, finest_needed)], size >> k, k / last) for k in range(1, last + 1)]
        return cube, *rough

    def _project(self) -> Any:
        """Sums along the rows with the functions of azimuth that harmonics are made of, then down the columns."""
        image = self._panorama()
        height, width = image.shape[-3:-1]
        xp = namespace(image)
        polar = np.arange(height + 1) / height * np.pi
        solid_angle = (np.cos(polar[:-1]) - np.cos(polar[1:])) * (2 * np.pi / width)  # of a pixel in each row
        along_rows = _of_azimuth(((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi).T  # [5, W]
        down = _harmonics_by_azimuth((polar[:-1] + polar[1:]) / 2) * solid_angle[:, None, None]  # [H, 9, 5]
        rows = like(np.ascontiguousarray(along_rows), image) @ image  # [..., H, 5, 3]
        rows = xp.reshape(rows, (*image.shape[:-3], 5 * height, 3))
        found = like(np.ascontiguousarray(down.transpose(1, 0, 2).reshape(9, -1)), image) @ rows
        found = self._turned_coefficients(found) * like(COSINE_LOBE, found)
        return self._scaled(found[..., None, :, :])[..., 0, :, :] if found.ndim == 3 else self._scaled(found)

    def _turned_coefficients(self, coefficients: Any) -> Any:
        """[..., 9, 3] of the panorama -> of the world: functions of the azimuth turn among themselves."""
        if isinstance(self.rotation_degrees, (int, float)) and self.rotation_degrees == 0:
            return coefficients
        # The rotation as a matrix, from its values in as many directions as there are functions, exactly.
        probes = like(_PROBES, coefficients)
        turned = harmonics(self._turned(probes))  # [9 probes, 9]
        return like(np.linalg.inv(harmonics(_PROBES)), coefficients) @ (turned @ coefficients)


def harmonics(directions: Any) -> Any:
    """[..., 3] unit -> [..., 9]."""
    xp = namespace(directions)
    x, y, z = (directions[..., k] for k in range(3))
    one = xp.ones_like(x)
    functions = [
        *(CONSTANT * one, LINEAR * y, LINEAR * z, LINEAR * x, PRODUCT * x * y, PRODUCT * y * z),
        *(ZONAL * (3 * z * z - 1), PRODUCT * x * z, SQUARES * (x * x - y * y)),
    ]
    return xp.stack(functions, axis=-1)


def _of_azimuth(azimuth: np.ndarray) -> np.ndarray:
    """[N] -> [N, 5]."""
    return np.stack([np.ones_like(azimuth), *(f(m * azimuth) for m in (1, 2) for f in (np.cos, np.sin))], axis=-1)


def _harmonics_by_azimuth(polar: np.ndarray) -> np.ndarray:
    """[H] angles from +y -> [H, 9, 5], what each harmonic takes of each function of azimuth; eight places tell."""
    azimuth = np.arange(8) * (np.pi / 4)
    level, up = np.sin(polar)[:, None], np.cos(polar)[:, None]
    places = np.stack([level * np.sin(azimuth), up + 0 * azimuth, -level * np.cos(azimuth)], axis=-1)
    functions = _of_azimuth(azimuth)
    return harmonics(places).transpose(0, 2, 1) @ (functions / (functions**2).sum(axis=0))


def _places(directions: Any, height: int) -> Any:
    """[..., 3] -> [..., 2] uv in a panorama with a row more at each pole."""
    xp = namespace(directions)
    x, y, z = (directions[..., k] for k in range(3))
    level = x * x + z * z
    is_pole = level == 0
    one = xp.ones_like(x)
    z, level = xp.where(is_pole, -one, z), xp.sqrt(xp.where(is_pole, one, level))
    u = 0.5 + xp.atan2(xp.where(is_pole, 0 * one, x), -z) / (2 * math.pi)
    upright = xp.where(y < 0, -one, one) * 0.5
    v = xp.where(is_pole, 0.5 - upright, 0.5 - xp.atan2(y, level) / math.pi)
    return xp.stack([u, (v * height + 1) / (height + 2)], axis=-1)


def _without_slivers(image: Any) -> Any:
    """[..., H, W, 3] -> the same, blurred along rows near the poles, where texels are slivers, to about their height.

    Else a sun there falls between samples. Each (1, 2, 1) / 4, at distances of 1, 2, 4 ..., doubles the width of a hat.
    """
    xp, (height, width) = namespace(image), image.shape[-3:-1]
    distance = 1
    while 2 * distance <= width:
        # Of rows whose sine of the polar angle, times the distance, is below 0.75.
        count = min(height // 2, math.ceil(math.asin(0.75 / distance) / math.pi * height - 0.5))
        if count <= 0:
            break
        ends = [image[..., :count, :, :], image[..., height - count :, :, :]]
        top, bottom = ((_rolled(x, distance) + 2 * x + _rolled(x, width - distance)) / 4 for x in ends)
        image = xp.concat([top, image[..., count : height - count, :, :], bottom], axis=-3)
        distance *= 2
    return image


def _rolled(rows: Any, count: int) -> Any:
    return namespace(rows).concat([rows[..., count:, :], rows[..., :count, :]], axis=-2)


def _over_the_poles(image: Any) -> Any:
    """[..., H, W, 3] -> [..., H + 2, W, 3]: beyond a pole lies the row before it, half around."""
    xp = namespace(image)
    half = image.shape[-2] // 2
    return xp.concat([_rolled(image[..., :1, :, :], half), image, _rolled(image[..., -1:, :, :], half)], axis=-3)


# Nine directions in which the nine functions are independent.
_PROBES = np.array(
    [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1], [-1, 1, 0], [0, -1, 1], [1, 0, -1]], np.float64
)
_PROBES /= np.linalg.norm(_PROBES, axis=-1, keepdims=True)

_FOUND: WeakKeyDictionary[EnvironmentLight, dict[str, Any]] = WeakKeyDictionary()
