# SPDX-License-Identifier: MIT
"""Shading by the formulas of the specifications, one light after the other; [..., 3] vectors, everything broadcasts.

glTF 2.0, appendix B; KHR_lights_punctual; Wavefront's MTL for Blinn-Phong (Blinn 1977).
"""

import numpy as np

Array = np.ndarray

LEAST_ROUGHNESS = 0.045


def unit(v: Array) -> Array:
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    return np.divide(v, length, out=np.zeros_like(v), where=length > 0)


def dot(a: Array, b: Array) -> Array:
    return (a * b).sum(axis=-1)


def towards(place: Array, positions: Array) -> Array:
    """From positions to a homogeneous place."""
    return place[..., :3] - place[..., 3:] * positions


def microfacets(nl: Array, nv: Array, nh: Array, roughness: Array) -> Array:
    """V D of appendix B.3.2, for cosines that are not negative."""
    alpha2 = np.maximum(roughness, LEAST_ROUGHNESS) ** 4
    distribution = alpha2 / (np.pi * (nh**2 * (alpha2 - 1) + 1) ** 2)
    visibility = 1.0
    for cosine in (nl, nv):
        visibility = visibility / (cosine + np.sqrt(alpha2 + (1 - alpha2) * cosine**2))
    return visibility * distribution


def brdf(n: Array, v: Array, light: Array, color: Array, roughness: Array, metallic: Array) -> Array:
    """[..., 3] of unit vectors."""
    h = unit(light + v)
    nl, nv, nh, vh = (np.clip(dot(a, b), 0, None) for a, b in ((n, light), (n, v), (n, h), (v, h)))
    diffuse_color, f0 = color * (1 - metallic)[..., None], 0.04 + (color - 0.04) * metallic[..., None]
    fresnel = f0 + (1 - f0) * ((1 - vh) ** 5)[..., None]
    return (1 - fresnel) * diffuse_color / np.pi + fresnel * microfacets(nl, nv, nh, roughness)[..., None]


def arrivals(positions: Array, lights: Array):
    """For each light its direction [..., 3] and its colour [..., 3] as it arrives."""
    for fields in np.moveaxis(lights, -2, 0):
        to_light = towards(fields[..., :4], positions)
        direction = unit(to_light)
        falloff = 1 / np.maximum(dot(to_light, to_light), 1e-8) if (fields[..., 3] != 0).all() else 1.0
        cone = np.clip(dot(fields[..., 7:10], -direction) * fields[..., 10] + fields[..., 11], 0, 1) ** 2
        yield direction, fields[..., 4:7] * (falloff * cone)[..., None]


def shade_metallic(positions, normals, base_color, roughness_metallic, viewer, lights) -> Array:
    """viewer [..., 4] and lights [..., L, 12] with the axes of the positions."""
    n, v = unit(normals), unit(towards(viewer, positions))
    total = np.zeros(positions.shape)
    for direction, color in arrivals(positions, lights):
        cosine = np.clip(dot(n, direction), 0, None)[..., None]
        reflected = brdf(n, v, direction, base_color, roughness_metallic[..., 0], roughness_metallic[..., 1])
        total += np.pi * reflected * color * cosine
    return total


def map_normals(normals, tangents, texels, scale) -> Array:
    across = (2 * texels - 1) * np.array([scale, scale, 1])
    bitangents = tangents[..., 3:] * np.cross(normals, tangents[..., :3])
    return unit(across[..., :1] * tangents[..., :3] + across[..., 1:2] * bitangents + across[..., 2:] * normals)


def reflect(positions, normals, viewer) -> Array:
    n, v = unit(normals), unit(towards(viewer, positions))
    return 2 * dot(n, v)[..., None] * n - v


def shade_blinn_phong(positions, normals, diffuse, specular, viewer, lights) -> Array:
    n, v = unit(normals), unit(towards(viewer, positions))
    total = np.zeros(positions.shape)
    for direction, color in arrivals(positions, lights):
        cosine = dot(n, direction)
        to_half = np.clip(dot(n, unit(direction + v)), 0, None) * (cosine > 0)
        highlight = np.where(to_half > 0, to_half ** specular[..., 3], 0)[..., None]
        total += color * (diffuse * np.clip(cosine, 0, None)[..., None] + specular[..., :3] * highlight)
    return total


def bilinear(table: Array, x: Array, y: Array) -> Array:
    """[..., C] of a table [n, n, C] at x across and y down; the first entries stand at 0, the last at 1."""
    size = len(table)
    x, y = (np.clip(a, 0, 1) * (size - 1) for a in (x, y))
    left, top = (np.minimum(a.astype(int), max(size - 2, 0)) for a in (x, y))
    right, bottom = (np.minimum(a + 1, size - 1) for a in (left, top))
    x, y = (x - left)[..., None], (y - top)[..., None]
    above = (1 - x) * table[top, left] + x * table[top, right]
    return (1 - y) * above + y * ((1 - x) * table[bottom, left] + x * table[bottom, right])


def reflect_environment(
    positions, normals, base_color, roughness_metallic, viewer, irradiance, radiance, table
) -> Array:
    cosine = np.clip(dot(unit(normals), unit(towards(viewer, positions))), 0, None)
    scale, bias = np.moveaxis(bilinear(table, cosine, roughness_metallic[..., 0])[..., None, :], -1, 0)
    metallic = roughness_metallic[..., 1:]
    diffuse, f0 = base_color * (1 - metallic), 0.04 + (base_color - 0.04) * metallic
    return diffuse * (1 - 0.04 * scale - bias) * irradiance + (f0 * scale + bias) * radiance
