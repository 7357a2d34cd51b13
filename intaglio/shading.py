# SPDX-License-Identifier: MIT
"""What light a mesh sends to the camera: ordinary calculus on what `rasterize` found, differentiable throughout."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from . import ops
from .array import cross, namespace, unit
from .light import Light, are_white, irradiance, need_normals, need_places
from .mesh import Mesh, corner_index, corner_positions, face_index
from .ops import Fragments

__all__ = ["SHADINGS", "Surface", "normals_towards_viewer", "shaded"]

SHADINGS = ("flat", "smooth")


class Surface:
    """What shading needs of a mesh, worked out when first asked for."""

    def __init__(self, mesh: Mesh, pos_clip: Any) -> None:
        self.mesh, self.pos_clip = mesh, pos_clip
        self._found: dict[str, Any] = {}

    def _once(self, name: str, find: Callable[[], Any]) -> Any:
        if name not in self._found:  # functools.cached_property has a lock, which torch.compile cannot trace
            self._found[name] = find()
        return self._found[name]

    @property
    def facing(self) -> Any:
        """[B, F, 1]: 1 where a face shows its outside, -1 where its inside. Not differentiable."""
        return self._once("facing", lambda: _facing(self.mesh, self.pos_clip))

    @property
    def normals(self) -> Any:
        """[B, F, 3] unit, towards the viewer."""
        return self._once("normals", lambda: self.mesh.face_normals() * self.facing)

    @property
    def normals_at_vertices(self) -> Any:
        """[V, 3] or [B, V, 3] unit, outward."""
        return self._once("normals_at_vertices", self.mesh.vertex_normals)

    @property
    def centres(self) -> Any:
        """[1, F, 3] or [B, F, 3], world space."""
        first, second, third = corner_positions(self.mesh.vertices, corner_index(self.mesh))
        centres = (first + second + third) / 3
        return centres if centres.ndim == 3 else centres[None]

    def image(self, values: Any, fragments: Fragments) -> Any:
        """[F, C] or [B, F, C] values of faces -> [B, H, W, C], exactly those values; 0 on the background."""
        # With all the weight on one corner, interpolation is a gather, and a faster one than indexing.
        at_corner = fragments._replace(barycentrics=namespace(values).zeros_like(fragments.barycentrics))
        return ops.interpolate(values, at_corner, face_index(self.mesh))


def _facing(mesh: Mesh, pos_clip: Any) -> Any:
    xp = namespace(pos_clip)
    corners = corner_positions(xp.stop_gradient(pos_clip), corner_index(mesh))
    first, second, third = (xp.concat([pos[..., :2], pos[..., 3:]], axis=-1) for pos in corners)
    # The sign of this determinant of (x, y, w) is that of the area on screen, partly behind the camera too.
    area = xp.sum(first * cross(second, third), axis=-1, keepdims=True)
    return xp.where(area < 0, -xp.ones_like(area), xp.ones_like(area))


def shaded(mesh: Mesh, surface: Surface, fragments: Fragments, lights: Sequence[Light], shading: str) -> Sequence[Any]:
    """Light that the mesh sends to the camera, and coverage, 0 on the background: planes [B, H, W, C], which are one of
    4 channels, or one of 3 and one of 1, whichever was made without a copy.
    """
    xp = namespace(mesh.vertices)
    is_white = mesh.texture is None and mesh.vertex_colors is None and mesh.face_textures is None
    light = None
    if shading == "flat" and need_normals(lights):
        light = irradiance(lights, surface.normals, surface.centres if need_places(lights) else None)
        if is_white:
            return [surface.image(xp.concat([light, xp.ones_like(light[..., :1])], axis=-1), fragments)]
        light = surface.image(light, fragments)
    covered = xp.covered(fragments.triangle_id, mesh.vertices)[..., None]
    if not is_white and are_white(lights):
        return [_albedo(mesh, fragments, covered), covered]
    if light is None and need_normals(lights):
        places = ops.interpolate(mesh.vertices, fragments, mesh.triangles) if need_places(lights) else None
        light = irradiance(lights, normals_towards_viewer(mesh, surface, fragments, shading), places)
    elif light is None:
        light = irradiance(lights, covered)
    return [_albedo(mesh, fragments, covered) * light, covered]


def _albedo(mesh: Mesh, fragments: Fragments, covered: Any) -> Any:
    """[B, H, W, 3] the mesh's own colours, or [B, H, W, 1] for white; 0 on the background."""
    factors = []
    if mesh.vertex_colors is not None:
        factors.append(ops.interpolate(mesh.vertex_colors, fragments, mesh.triangles))
    if mesh.face_textures is not None:
        factors.append(ops.sample_face_texture(mesh.face_textures, fragments))
    if mesh.texture is not None:
        uv = ops.interpolate(mesh.uv, fragments, mesh.triangles if mesh.uv_triangles is None else mesh.uv_triangles)
        factors += [ops.sample_texture(mesh.texture, uv), covered]
    return math.prod(factors[1:], start=factors[0]) if factors else covered


def normals_towards_viewer(mesh: Mesh, surface: Surface, fragments: Fragments, shading: str) -> Any:
    """[B, H, W, 3] unit normals towards the viewer, 0 on the background."""
    if shading == "flat":
        return surface.image(surface.normals, fragments)
    normals = unit(ops.interpolate(surface.normals_at_vertices, fragments, mesh.triangles))
    return normals * surface.image(surface.facing, fragments)
