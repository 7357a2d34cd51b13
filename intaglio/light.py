# SPDX-License-Identifier: MIT
"""Lights: how much light of each colour falls on a surface that scatters it evenly (Lambert's cosine law).

Colours, directions and places are lists or arrays, [3], or [B, 3] with one for each image of a batch; intensities
are numbers or [B]. All are differentiable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .array import as_float_array, like, namespace, unit

__all__ = ["AmbientLight", "DirectionalLight", "Light", "PointLight", "irradiance"]

WHITE = (1.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class AmbientLight:
    """Light from everywhere alike."""

    color: Any = WHITE
    intensity: Any = 1.0

    def __post_init__(self) -> None:
        _check_light(self, "AmbientLight")

    def falling_on(self, normals: Any, positions: Any) -> Any:
        return _strength(self, normals)


@dataclass(frozen=True, eq=False)
class DirectionalLight:
    """Parallel light, as the sun's. `direction` points towards the light; its length does not matter."""

    direction: Any = (0.0, 1.0, 0.0)
    color: Any = WHITE
    intensity: Any = 1.0

    def __post_init__(self) -> None:
        _check_light(self, "DirectionalLight", "direction")

    def falling_on(self, normals: Any, positions: Any) -> Any:
        towards_light = unit(_aligned(self.direction, normals))
        return _strength(self, normals) * _cosine(normals, towards_light)


@dataclass(frozen=True, eq=False)
class PointLight:
    """Light from one place, in world space. `intensity` is what falls straight on a surface at distance 1."""

    position: Any
    color: Any = WHITE
    intensity: Any = 1.0

    def __post_init__(self) -> None:
        _check_light(self, "PointLight", "position")

    def falling_on(self, normals: Any, positions: Any) -> Any:
        to_light = _aligned(self.position, positions) - positions
        xp = namespace(to_light)
        squared = xp.sum(to_light * to_light, axis=-1, keepdims=True)
        squared = xp.where(squared > 0, squared, xp.ones_like(squared))
        return _strength(self, normals) * _cosine(normals, unit(to_light)) / squared


Light = AmbientLight | DirectionalLight | PointLight


def irradiance(lights: Sequence[Light], normals: Any, positions: Any = None) -> Any:
    """The light that falls on surfaces, summed over `lights`.

    Args:
        normals: [..., 3] unit normals towards the viewer, world space, differentiable; of [B, ..., 3] where a light has
            [B, 3].
        positions: [..., 3] in world space, differentiable; only point lights need them.

    Returns:
        [..., 3], or something that broadcasts to it, linear: what a white surface shows. 0 without lights.
    """
    falling = [light.falling_on(normals, positions) for light in lights] or [like(np.zeros(3), normals)]
    return sum(falling[1:], start=falling[0])


def are_white(lights: Sequence[Light]) -> bool:
    """Whether the lights leave colours as they are, by numbers that are known."""
    known = all(isinstance(light.color, tuple) and isinstance(light.intensity, (int, float)) for light in lights)
    return known and not need_normals(lights) and bool((irradiance(lights, np.zeros(3)) == 1).all())


def need_normals(lights: Sequence[Light]) -> bool:
    return not all(isinstance(light, AmbientLight) for light in lights)


def need_places(lights: Sequence[Light]) -> bool:
    return any(isinstance(light, PointLight) for light in lights)


def _cosine(normals: Any, towards_light: Any) -> Any:
    xp = namespace(normals)
    return xp.maximum(xp.sum(normals * towards_light, axis=-1, keepdims=True), 0)


def _strength(light: Light, surface: Any) -> Any:
    """Colour times intensity, shaped to broadcast over `surface`."""
    if isinstance(light.intensity, (int, float)):
        return _aligned(light.color, surface) * light.intensity
    return _aligned(light.color, surface) * _aligned(light.intensity, surface, per_image=0)


def _aligned(x: Any, surface: Any, per_image: int = 1) -> Any:
    """A light's [3] or [B, 3] (or with per_image = 0: [] or [B]) with axes added to broadcast over [B, ..., 3]."""
    x = like(x, surface)
    if x.ndim == per_image:
        return x
    missing = surface.ndim - x.ndim if per_image else surface.ndim - 1
    return namespace(x).reshape(x, (x.shape[0], *(1,) * missing, *x.shape[1:]))


def _check_light(light: Light, kind: str, vector: str | None = None) -> None:
    for name in ("color", vector):
        if name is not None:
            shape = tuple(as_float_array(getattr(light, name)).shape)
            if shape[-1:] != (3,) or len(shape) > 2:
                raise ValueError(f"{kind}: {name} must be [3] or [B, 3]; got {list(shape)}")
    if len(as_float_array(light.intensity).shape) > 1:
        raise ValueError(f"{kind}: intensity must be a number or [B]; got {list(light.intensity.shape)}")
