# SPDX-License-Identifier: MIT
"""What is rendered: the teapot (12 % of the image) or an icosphere (36 %), in clip space, from 2.732 away."""

from dataclasses import dataclass
from functools import cache

import numpy as np

import intaglio
from intaglio import shapes


@dataclass(frozen=True)
class Scene:
    """pos_clip [B,V,4] float32, triangles [F,3] int32, neighbours [F,3] int32; for square images."""

    pos_clip: np.ndarray
    triangles: np.ndarray
    neighbours: np.ndarray


@dataclass(frozen=True)
class TexturedScene(Scene):
    """The same with uv [T,2] float32, uv_triangles [F,3] int32 and a texture [N,N,3] float32."""

    uv: np.ndarray
    uv_triangles: np.ndarray
    texture: np.ndarray


@cache
def textured_sphere(num_views: int, scale: float, texels: int) -> TexturedScene:
    """A sphere, of radius 1 if `scale` is 1, in noise."""
    mesh = shapes.sphere(64, 32)
    mesh = mesh.replace(vertices=mesh.vertices * np.float32(scale))
    seen = _seen_from(mesh, num_views)
    texture = np.random.default_rng(0).uniform(size=(texels, texels, 3)).astype(np.float32)
    return TexturedScene(seen.pos_clip, seen.triangles, seen.neighbours, mesh.uv, mesh.uv_triangles, texture)


@cache
def teapot(num_views: int = 1) -> Scene:
    """Views from all around, 30 degrees above the horizon."""
    return _seen_from(shapes.teapot().normalized(), num_views)


@cache
def icosphere(level: int) -> Scene:
    """20 * 4^level triangles of nearly the same size."""
    return _seen_from(shapes.icosphere(level), 1)


def _seen_from(mesh: intaglio.Mesh, num_views: int) -> Scene:
    azimuths = 23 + np.arange(num_views) * 360 / num_views
    cameras = [intaglio.Camera.look_at(intaglio.orbit(2.732, 30, azimuth), fov_y_degrees=60) for azimuth in azimuths]
    views = [np.asarray(camera.clip(mesh.vertices, (64, 64))).reshape(-1, 4) for camera in cameras]
    return Scene(np.stack(views).astype(np.float32), mesh.triangles, mesh.neighbours)
