# SPDX-License-Identifier: MIT
"""What light a mesh sends to the camera, by its material: ordinary calculus, differentiable throughout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ops
from .array import as_float_array, joined, like, namespace
from .environment import EnvironmentLight, SphericalHarmonicsLight, mirrored_shares
from .light import (
    AmbientLight,
    DirectionalLight,
    Light,
    PointLight,
    Punctual,
    are_batched,
    are_white,
    irradiance,
    light_table,
    need_normals,
    need_places,
    strength,
)
from .material import BlinnPhong, Material, Unlit
from .seen import Seen, channels
from .split_sum import split_sum_table

__all__ = ["AnyLight", "shaded", "shaded_layer"]

AnyLight = Light | EnvironmentLight | SphericalHarmonicsLight
# Those whose light on a matt surface needs no more than its normal and place.
LAMBERT = (AmbientLight, DirectionalLight, PointLight)


def shaded(seen: Seen, lights: Sequence[AnyLight]) -> Sequence[Any]:
    """Light sent to the camera, times opacity, and opacity, both 0 on the background: planes [B, H, W, C], which are
    one of 4 channels, or one of 3 and one of 1, whichever was made without a copy.
    """
    planes = _lit(seen, lights)
    return planes if seen.opacity is None else [planes[0] * seen.opacity, seen.opacity]


def shaded_layer(seen: Seen, lights: Sequence[AnyLight]) -> Any:
    """[B, H, W, 4]: the light, not multiplied by opacity, and opacity, both 0 on the background; what `ops.composite`
    lays over what is behind.
    """
    planes = _lit(seen, lights)
    alpha = seen.covered if seen.opacity is None else seen.opacity
    return namespace(alpha).concat([channels(planes[0], 0, 3), alpha], axis=-1)


def _lit(seen: Seen, lights: Sequence[AnyLight]) -> Sequence[Any]:
    """Light and coverage, as `shaded` gives them where all is opaque."""
    material = seen.mesh.material
    if isinstance(material, Unlit):
        return [_colored(seen), seen.covered]
    if isinstance(material, Material):
        return [_metallic(seen, lights, material), seen.covered]
    if material is None and all(isinstance(light, LAMBERT) for light in lights):
        return _matt(seen, [light for light in lights if isinstance(light, LAMBERT)])
    return [_blinn_phong(seen, lights, material), seen.covered]


def _matt(seen: Seen, lights: Sequence[Light]) -> Sequence[Any]:
    surface, light = seen.surface, None
    is_by_face = not surface.is_smooth and need_normals(lights)
    if is_by_face and surface.ranges is not None and are_batched(lights):  # each mesh's faces have lights of their own
        light = irradiance(lights, seen.normals, seen.of_faces(surface.centres) if need_places(lights) else None)
    elif is_by_face:
        light = irradiance(lights, surface.face_normals, surface.centres if need_places(lights) else None)
        if seen.is_white:
            xp = namespace(light)
            return [seen.of_faces(xp.concat([light, xp.ones_like(light[..., :1])], axis=-1))]
        light = seen.of_faces(light)
    if not seen.is_white and are_white(lights):
        return [seen.base_color, seen.covered]
    if light is None and need_normals(lights):
        light = irradiance(lights, seen.normals, seen.positions if need_places(lights) else None)
    elif light is None:
        light = irradiance(lights, seen.covered)
    return [seen.base_color * light, seen.covered]


def _blinn_phong(seen: Seen, lights: Sequence[AnyLight], material: BlinnPhong | None) -> Any:
    color = _colored(seen)
    reflected = color * _irradiance(seen, lights, _ambient(seen, lights))
    beams = [light for light in lights if isinstance(light, Punctual)]
    if not beams:
        return reflected
    specular = np.array([0.0, 0, 0, 1])
    if material is not None:
        shininess = as_float_array(material.shininess, np.float64)
        specular = joined(as_float_array(material.specular, np.float64), shininess[..., None])
    inputs = (seen.positions, seen.normals, color, seen.plane(specular), seen.surface.viewer)
    return reflected + ops.shade_blinn_phong(*inputs, light_table(beams, color), seen.fragments)


def _metallic(seen: Seen, lights: Sequence[AnyLight], material: Material) -> Any:
    """glTF 2.0, Appendix B, under lights; Karis 2013 under light from all around."""
    color = _colored(seen)
    factors = (as_float_array(x, np.float64)[..., None] for x in (material.roughness, material.metallic))
    roughness_metallic = seen.plane(joined(*factors))
    if material.metallic_roughness_texture is not None:
        roughness_metallic = roughness_metallic * seen.sample("metallic_roughness_texture")
    parts = []
    beams = [light for light in lights if isinstance(light, Punctual)]
    inputs = (seen.positions, seen.normals, color, roughness_metallic, seen.surface.viewer)
    if beams:
        parts.append(ops.shade_metallic(*inputs, light_table(beams, color), seen.fragments))
    around = [light for light in lights if not isinstance(light, Punctual)]
    if around:
        ambient = _ambient(seen, around)
        falling = (_irradiance(seen, around, ambient), _mirrored(seen, around, ambient, roughness_metallic))
        table = namespace(color).lasting(split_sum_table, color)
        light = ops.reflect_environment(*inputs, *falling, table, seen.fragments)
        if material.occlusion_texture is not None:
            strength = seen.plane(as_float_array(material.occlusion_strength, np.float64)[..., None])
            light = light * (1 + strength * (seen.sample("occlusion_texture") - 1))
        parts.append(light)
    if not parts or not _is_dark(material):
        emissive = seen.plane(as_float_array(material.emissive, np.float64))
        parts.append(emissive if material.emissive_texture is None else emissive * seen.sample("emissive_texture"))
    return sum(parts[1:], start=parts[0])


def _is_dark(material: Material) -> bool:
    """Whether it sends out no light whatever is learned: an array may yet become other numbers."""
    emissive = material.emissive
    return material.emissive_texture is None and isinstance(emissive, tuple) and all(part == 0 for part in emissive)


def _colored(seen: Seen) -> Any:
    """[B, H, W, 3]."""
    return seen.plane((1.0, 1.0, 1.0)) if seen.is_white else seen.base_color


def _ambient(seen: Seen, lights: Sequence[AnyLight]) -> list[Any]:
    """[B, H, W, 3] each: what comes from everywhere alike is what falls on a surface and what it mirrors."""
    return [seen.plane(strength(light)) for light in lights if isinstance(light, AmbientLight)]


def _irradiance(seen: Seen, lights: Sequence[AnyLight], ambient: list[Any]) -> Any:
    """[B, H, W, 3], of the light from all around, divided by pi: what a white surface shows of it."""
    parts = list(ambient)
    for light in lights:
        if isinstance(light, (EnvironmentLight, SphericalHarmonicsLight)):
            coefficients = like(light.irradiance_coefficients(), seen.normals)
            parts.append(ops.spherical_harmonics(seen.normals, coefficients, seen.fragments))
    return sum(parts[1:], start=parts[0]) if parts else seen.plane((0.0, 0.0, 0.0))


def _mirrored(seen: Seen, lights: Sequence[AnyLight], ambient: list[Any], roughness_metallic: Any) -> Any:
    """[B, H, W, 3], radiance from all around that a mirror would show there, blurred as the surface is rough."""
    parts = list(ambient)
    if len(parts) < len(lights):
        directions = ops.reflect(seen.positions, seen.normals, seen.surface.viewer, seen.fragments)
        roughness = channels(roughness_metallic, 0, 1)
    for light in lights:
        if isinstance(light, SphericalHarmonicsLight):
            shares = (1.0, *mirrored_shares(roughness))
            for share, coefficients in zip(shares, light.coefficients_by_degree(), strict=True):
                radiance = ops.spherical_harmonics(directions, like(coefficients, directions), seen.fragments)
                parts.append(share * radiance)
        elif isinstance(light, EnvironmentLight):
            levels = [like(level, directions) for level in light.prefiltered()]
            lod = namespace(directions).squeeze(roughness, axis=-1) * (len(levels) - 1)
            parts.append(ops.sample_cube(levels, directions, filter="trilinear", lod=lod))
    return sum(parts[1:], start=parts[0])
