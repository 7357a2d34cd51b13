# SPDX-License-Identifier: MIT
"""A ring of 20,000 triangles with a material of three maps, under a sun, a lamp and a sky, in NumPy."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from intaglio import Camera, DirectionalLight, EnvironmentLight, Material, Mesh, PointLight, shapes, skies

Array = np.ndarray


@dataclass(frozen=True)
class ShadingScene:
    mesh: Mesh
    camera: Camera
    lights: tuple[DirectionalLight, PointLight, EnvironmentLight]


@cache
def ring(segments: int = 100) -> ShadingScene:
    """2 segments^2 triangles; normals and tangents are as many as the uv, and indexed as they are."""
    mesh = shapes.torus(0.45, segments, segments)
    around, tube = 2 * np.pi * mesh.uv[:, 0], np.pi - 2 * np.pi * mesh.uv[:, 1]
    outward = np.stack([np.cos(tube) * np.sin(around), np.sin(tube), np.cos(tube) * np.cos(around)], axis=-1)
    along = np.stack([np.cos(around), 0 * around, -np.sin(around), 0 * around + 1], axis=-1)
    color, surface, bumps = _maps(512)
    mesh = mesh.replace(
        uv=np.float32(mesh.uv * [6, 2]),
        texture=color,
        normals=np.float32(outward),
        normal_triangles=mesh.uv_triangles,
        tangents=np.float32(along),
        tangent_triangles=mesh.uv_triangles,
        material=Material(metallic_roughness_texture=surface, normal_texture=bumps),
    )
    camera = Camera.look_at((0, 2.0, 2.7), fov_y_degrees=46)
    sun = DirectionalLight(np.float32([0.4, 0.8, 0.5]), np.float32([0.9, 0.85, 0.7]))
    lamp = PointLight(np.float32([-1.2, 1.0, 0.8]), np.float32([0.5, 0.6, 0.9]))
    return ShadingScene(mesh, camera, (sun, lamp, EnvironmentLight(np.float32(skies.sunset(256)))))


def _maps(size: int) -> tuple[Array, Array, Array]:
    """Tiles, metal or not, of changing roughness, and bumps; all wrap around."""
    at = 2 * np.pi * (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(at, at)
    tile = 0.5 + 0.5 * np.tanh(4 * np.sin(2 * x) * np.sin(2 * y))
    grain = np.random.default_rng(0).uniform(-0.05, 0.05, (size, size))
    color = np.stack([0.2 + 0.7 * tile, 0.5 + 0.2 * np.sin(x), 0.8 - 0.6 * tile], axis=-1) + grain[..., None]
    surface = np.stack([0.35 + 0.25 * np.cos(3 * y) + grain, tile], axis=-1)
    slope_x, slope_y = 0.3 * np.cos(8 * x) * np.sin(8 * y), 0.3 * np.sin(8 * x) * np.cos(8 * y)
    normal = np.stack([-slope_x, -slope_y, np.ones_like(x)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.float32(color), np.float32(surface), np.float32(0.5 * normal + 0.5)
