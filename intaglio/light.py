# SPDX-License-Identifier: MIT
"""Lights: how much light of each colour falls on a surface that scatters it evenly (Lambert's cosine law), and the
table of them that the shading ops take for surfaces that do not.

Colours, directions and places are lists or arrays, [3], or [B, 3] with one for each image of a batch; intensities
are numbers or [B]. All are differentiable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from .array import as_float_array, joined, leader, like, namespace, unit
from .trees import tree_of_fields

__all__ = ["DEFAULT_LIGHTS", "AmbientLight", "DirectionalLight", "Light", "PointLight", "SpotLight", "irradiance",
           "light_table"]  # fmt: skip

WHITE = (1.0, 1.0, 1.0)
# How many axes what lights are made of has without one for images.
NUM_AXES = {
    **{"color": 1, "direction": 1, "position": 1, "coefficients": 2, "image": 3},
    **dict.fromkeys(("intensity", "inner_degrees", "outer_degrees", "rotation_degrees"), 0),
}


@tree_of_fields()
@dataclass(frozen=True, eq=False)
class AmbientLight:
    """Light from everywhere alike."""

    color: Any = WHITE
    intensity: Any = 1.0

    def __post_init__(self) -> None:
        _check_light(self, "AmbientLight")


@tree_of_fields()
@dataclass(frozen=True, eq=False)
class DirectionalLight:
    """Parallel light, as the sun's. `direction` points towards the light; its length does not matter."""

    direction: Any = (0.0, 1.0, 0.0)
    color: Any = WHITE
    intensity: Any = 1.0

    def __post_init__(self) -> None:
        _check_light(self, "DirectionalLight", "direction")


@tree_of_fields()
@dataclass(frozen=True, eq=False)
class PointLight:
    """Light from one place, in world space. `intensity` is what falls straight on a surface at distance 1."""

    position: Any
    color: Any = WHITE
    intensity: Any = 1.0

    def __post_init__(self) -> None:
        _check_light(self, "PointLight", "position")


@tree_of_fields()
@dataclass(frozen=True, eq=False)
class SpotLight:
    """A point light that shines along `direction`: full to `inner_degrees` off it, fading to 0 at `outer_degrees`.

    Khronos, KHR_lights_punctual: "Inner and Outer Cone Angles".
    """

    position: Any
    direction: Any
    color: Any = WHITE
    intensity: Any = 1.0
    inner_degrees: Any = 0.0
    outer_degrees: Any = 45.0

    def __post_init__(self) -> None:
        _check_light(self, "SpotLight", "position", "direction")
        for name in ("inner_degrees", "outer_degrees"):
            if len(as_float_array(getattr(self, name)).shape) > 1:
                raise ValueError(f"SpotLight: {name} must be a number or [B]; got {list(getattr(self, name).shape)}")
        known = all(isinstance(angle, (int, float)) for angle in (self.inner_degrees, self.outer_degrees))
        if known and not 0 <= self.inner_degrees < self.outer_degrees <= 90:
            received = f"{self.inner_degrees} and {self.outer_degrees}"
            raise ValueError(
                f"SpotLight: inner_degrees must lie from 0 to below outer_degrees, at most 90; got {received}"
            )


Punctual = DirectionalLight | PointLight | SpotLight
Light = AmbientLight | Punctual


def irradiance(lights: Sequence[Light], normals: Any, positions: Any = None) -> Any:
    """The light that falls on surfaces, summed over `lights`.

    Args:
        normals: [..., 3] unit normals towards the viewer, world space, differentiable; of [B, ..., 3] where a light has
            [B, 3].
        positions: [..., 3] in world space, differentiable; only point lights need them.

    Returns:
        [..., 3], or something that broadcasts to it, linear: what a white surface shows. 0 without lights.
    """
    falling = [_aligned(strength(light), normals) for light in lights if isinstance(light, AmbientLight)]
    falling += [_from_point(light, normals, positions) for light in lights if isinstance(light, PointLight)]
    directional = [light for light in lights if isinstance(light, DirectionalLight)]
    if directional:
        falling.append(_from_directions(directional, normals))
    return sum(falling[1:], start=falling[0]) if falling else like(np.zeros(3), normals)


def light_table(lights: Sequence[Punctual], surface: Any) -> Any:
    """Lights as the shading ops take them: [L, 12], or [B, L, 12]. Differentiable.

    Of each 0-3 are its place (x, y, z, 1), or the direction towards it (x, y, z, 0); 4-6 its strength; 7-9 the unit
    direction in which a spot shines; 10 and 11 the scale and offset of its cone.
    """
    return _matrix([_row(light) for light in lights], surface)


def _row(light: Punctual) -> Any:
    """[12] or [B, 12]; in NumPy where all is known."""
    place = light.direction if isinstance(light, DirectionalLight) else light.position
    parts = [
        as_float_array(place, np.float64),
        np.array([0.0 if isinstance(light, DirectionalLight) else 1.0]),
        strength(light),
    ]
    if isinstance(light, SpotLight):
        parts += [unit(as_float_array(light.direction, np.float64)), *_cone(light)]
    else:
        parts += [np.zeros(4), np.ones(1)]
    return joined(*parts)


def _cone(light: SpotLight) -> list[Any]:
    """KHR_lights_punctual: the scale and offset that bring the cosine of the angle to 1 inside and 0 outside."""
    inner, outer = (_cosine(angle) for angle in (light.inner_degrees, light.outer_degrees))
    lead = leader(inner, outer)
    inner, outer = like(inner, lead), like(outer, lead)
    scale = 1 / namespace(lead).maximum(inner - outer, 1e-3)
    return [scale[..., None], (-outer * scale)[..., None]]


def _cosine(degrees: Any) -> Any:
    radians = as_float_array(degrees, np.float64) * (np.pi / 180)
    return namespace(radians).cos(radians)


def are_white(lights: Sequence[Light]) -> bool:
    """Whether the lights leave colours as they are, by numbers that are known."""
    known = all(isinstance(light.color, tuple) and isinstance(light.intensity, (int, float)) for light in lights)
    return known and not need_normals(lights) and bool((irradiance(lights, np.zeros(3)) == 1).all())


def are_batched(lights: Sequence[Light]) -> bool:
    """Whether one of them differs between images."""
    arrays = [(as_float_array(getattr(light, field.name)), field.name) for light in lights for field in fields(light)]
    return any(x.ndim > NUM_AXES[name] for x, name in arrays)


def need_normals(lights: Sequence[Light]) -> bool:
    return not all(isinstance(light, AmbientLight) for light in lights)


def need_places(lights: Sequence[Light]) -> bool:
    return any(isinstance(light, PointLight) for light in lights)


def _from_directions(lights: Sequence[DirectionalLight], normals: Any) -> Any:
    """All directional lights as two small matrix products, which cost one light's time."""
    xp = namespace(normals)
    directions = _matrix([unit(as_float_array(light.direction, np.float64)) for light in lights], normals)
    strengths = _matrix([strength(light) for light in lights], normals)  # [L, 3] or [B, L, 3]
    shape = tuple(normals.shape)
    if directions.ndim == 3 or strengths.ndim == 3:
        normals = xp.reshape(normals, (shape[0], -1, 3))
    light = xp.maximum(normals @ xp.matrix_transpose(directions), 0) @ strengths
    return xp.reshape(light, (light.shape[0], *shape[1:]))


def _from_point(light: PointLight, normals: Any, positions: Any) -> Any:
    to_light = _aligned(light.position, positions) - positions
    xp = namespace(to_light)
    squared = xp.sum(to_light * to_light, axis=-1, keepdims=True)
    squared = xp.where(squared > 0, squared, xp.ones_like(squared))
    cosine = xp.maximum(xp.sum(normals * unit(to_light), axis=-1, keepdims=True), 0)
    return _aligned(strength(light), normals) * cosine / squared


def _matrix(rows: Sequence[Any], surface: Any) -> Any:
    """[N]s or [B, N]s as [L, N] or [B, L, N]; those that are alike for all images are repeated."""
    lead = rows[0] if namespace(leader(*rows)) is namespace(0) else surface  # numbers go there all at once
    rows = [like(row, lead) for row in rows]
    batches = [row.shape[0] for row in rows if row.ndim == 2]
    shape = (batches[0], rows[0].shape[-1]) if batches else tuple(rows[0].shape)
    xp = namespace(lead)
    return like(xp.stack([xp.broadcast_to(row, shape) for row in rows], axis=-2), surface)


def strength(light: Light) -> Any:
    """[3] or [B, 3] colour times intensity; in NumPy where both are known."""
    color, intensity = as_float_array(light.color, np.float64), light.intensity
    if isinstance(intensity, (int, float)):
        return color * intensity
    lead = leader(color, intensity)
    intensity = like(intensity, lead)
    return like(color, lead) * (intensity[:, None] if intensity.ndim else intensity)


def _aligned(x: Any, surface: Any) -> Any:
    """A light's [3] or [B, 3] with axes added to broadcast over [B, ..., 3]."""
    x = like(x, surface)
    return x if x.ndim == 1 else namespace(x).reshape(x, (x.shape[0], *(1,) * (surface.ndim - 2), 3))


def _check_light(light: Light, kind: str, *vectors: str) -> None:
    for name in ("color", *vectors):
        shape = tuple(as_float_array(getattr(light, name)).shape)
        if shape[-1:] != (3,) or len(shape) > 2:
            raise ValueError(f"{kind}: {name} must be [3] or [B, 3]; got {list(shape)}")
    if len(as_float_array(light.intensity).shape) > 1:
        raise ValueError(f"{kind}: intensity must be a number or [B]; got {list(light.intensity.shape)}")


# A key light from above, a weak one from behind that shapes what the first leaves dark; together never brighter than 1.
DEFAULT_LIGHTS = (
    AmbientLight(intensity=0.15),
    DirectionalLight((0.5, 1.0, 0.7), intensity=0.65),
    DirectionalLight((-0.8, 0.2, -0.5), intensity=0.2),
)
