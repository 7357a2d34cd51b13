# SPDX-License-Identifier: MIT
"""What shading asks of a mesh, and of the pixels that show it: each worked out when first asked for, and once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import ops
from .array import as_float_array, cross, from_numpy, like, namespace, repeated, unit
from .material import is_white, normal_mapped
from .mesh import (
    Mesh,
    corner_index,
    corner_positions,
    face_index,
    groups_of_tangents,
    triangles_of,
    triangles_of_tangents,
)
from .ops import Fragments
from .tangents import tangents

__all__ = ["FILTERS", "Maps", "Seen", "Surface", "channels"]

# Samples along the longer axis of a pixel's footprint; 0 for filters that do not ask for it.
FILTERS = {"nearest": 0, "bilinear": 0, "trilinear": 1, "anisotropic": 8}


class _Once:
    """Remembers what was found. (functools.cached_property has a lock, which torch.compile cannot trace.)"""

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}

    def _once(self, name: str, find: Callable[[], Any]) -> Any:
        if name not in self._found:
            self._found[name] = find()
        return self._found[name]


class Maps(_Once):
    """The textures of a mesh and of its material, by the names that they have there: [H, W, C] or [B, H, W, C]."""

    def __init__(self, mesh: Mesh) -> None:
        super().__init__()
        self._mesh = mesh

    def texels(self, name: str) -> Any:
        return self._once(name, lambda: self._find(name))

    def levels(self, name: str) -> tuple[Any, ...]:
        """Of their mip pyramid."""
        return self._once(f"levels of {name}", lambda: ops.mip_pyramid(self.texels(name)))

    def _find(self, name: str) -> Any:
        return like(getattr(self._mesh if name == "texture" else self._mesh.material, name), self._mesh.vertices)


class Surface(_Once):
    """A mesh under a camera, or a batch of cameras, in `count` images.

    `viewer` is a function that gives the cameras' places, as of `Camera.viewer`; `handedness` one that gives what is
    that of `Camera` for each face, [P or 1, F or 1, 1], or a number. `ranges` are those of the ops, where
    the mesh is several in one: P rows of `pos_clip` and R ranges make B = P R images, camera by camera. `maps` are
    those of the mesh, where other surfaces share them.
    """

    def __init__(
        self,
        mesh: Mesh,
        pos_clip: Any,
        viewer: Callable[[], Any],
        handedness: Callable[[], Any],
        *,
        is_smooth: bool,
        ranges: np.ndarray | None = None,
        maps: Maps | None = None,
    ) -> None:
        super().__init__()
        self.ranges, self.count = ranges, pos_clip.shape[0] * (1 if ranges is None else len(ranges))
        self.mesh, self.pos_clip, self.is_smooth = mesh, pos_clip, is_smooth
        self.maps = Maps(mesh) if maps is None else maps
        self._viewer, self._handedness = viewer, handedness

    def rasterized(self, size: tuple[int, int], behind: Fragments | None = None) -> Fragments:
        """What is nearest at each pixel, or nearest behind other fragments."""
        geometry, is_culled = (self.pos_clip, self.mesh.triangles), not self.mesh.double_sided
        return ops.rasterize(*geometry, size, ranges=self.ranges, behind=behind, cull_backfaces=is_culled)

    @property
    def viewer(self) -> Any:
        """[B, 4]."""
        return self._once("viewer", lambda: repeated(like(self._viewer(), self.pos_clip), self.count))

    @property
    def facing(self) -> Any:
        """[P, F, 1]: 1 where a face shows its outside, -1 where its inside. Not differentiable."""
        return self._once("facing", self._find_facing)

    @property
    def face_normals(self) -> Any:
        """[P, F, 3] unit, towards the viewer."""
        return self._once("face_normals", lambda: self.mesh.face_normals() * self.facing)

    @property
    def normals(self) -> tuple[Any, Any]:
        """[N, 3] or [B, N, 3] outward, and their triangles: of the faces where shading is flat."""
        return self._once("normals", self._find_normals)

    @property
    def tangents(self) -> tuple[Any, Any]:
        """[T, 4] or [B, T, 4], and their triangles."""
        return self._once("tangents", self._find_tangents)

    @property
    def centres(self) -> Any:
        """[1, F, 3] or [B, F, 3], world space."""
        first, second, third = corner_positions(self.mesh.vertices, corner_index(self.mesh))
        centres = (first + second + third) / 3
        return centres if centres.ndim == 3 else centres[None]

    def _find_facing(self) -> Any:
        turned, handedness = _turned(self.mesh, self.pos_clip), self._handedness()
        return turned if isinstance(handedness, int) else turned * like(handedness, turned)

    def _find_tangents(self) -> tuple[Any, Any]:
        mesh = self.mesh
        if mesh.tangents is not None:
            return mesh.tangents, triangles_of(mesh, "tangents")
        groups = groups_of_tangents(mesh, is_smooth=self.is_smooth)
        found = tangents(mesh.vertices, mesh.uv, self.normals[0], groups)
        return found, triangles_of_tangents(mesh, is_smooth=self.is_smooth)

    def _find_normals(self) -> tuple[Any, Any]:
        mesh = self.mesh
        if not self.is_smooth:
            return mesh.face_normals(), face_index(mesh)
        if mesh.normals is None:
            return mesh.vertex_normals(), mesh.triangles
        return mesh.normals, triangles_of(mesh, "normals")


def _turned(mesh: Mesh, pos_clip: Any) -> Any:
    """[P, F, 1]: 1 for faces whose corners run counter-clockwise on the screen, else -1."""
    xp = namespace(pos_clip)
    corners = corner_positions(xp.stop_gradient(pos_clip), corner_index(mesh))
    first, second, third = (xp.concat([pos[..., :2], pos[..., 3:]], axis=-1) for pos in corners)
    # The sign of this determinant of (x, y, w) is that of the area on screen, partly behind the camera too.
    area = xp.sum(first * cross(second, third), axis=-1, keepdims=True)
    return xp.where(area < 0, -xp.ones_like(area), xp.ones_like(area))


class Seen(_Once):
    """Planes [B, H, W, C] of what the pixels show, 0 on the background. `filter` is one of FILTERS."""

    def __init__(self, surface: Surface, fragments: Fragments, filter: str) -> None:
        super().__init__()
        self.surface, self.fragments, self.mesh = surface, fragments, surface.mesh
        self._filter = filter

    @property
    def covered(self) -> Any:
        """[B, H, W, 1]: 1 where the mesh is seen. Not differentiable."""
        xp = namespace(self.mesh.vertices)
        return self._once("covered", lambda: xp.covered(self.fragments.triangle_id, self.mesh.vertices)[..., None])

    @property
    def positions(self) -> Any:
        """[B, H, W, 3], world space."""
        return self._once("positions", lambda: self._of_vertices(self.mesh.vertices))

    @property
    def normals(self) -> Any:
        """[B, H, W, 3] unit, towards the viewer; bent by the material's normal map where there is one."""
        return self._once("normals", self._find_normals)

    def sample(self, name: str) -> Any:
        """[B, H, W, C] of the texture called so, of the mesh or of its material."""
        surface = self.surface
        texels = surface.maps.texels(name)
        # Several cameras see textures that each mesh has for itself: a mesh's images are sampled as one, below another.
        is_by_mesh = surface.ranges is not None and texels.ndim == 4 and texels.shape[0] != surface.count
        uv = self._laid_out("uv", self._find_uv, is_by_mesh)
        triangle_id = self._laid_out("triangle_id", lambda: self.fragments.triangle_id, is_by_mesh)
        fragments = self.fragments._replace(triangle_id=triangle_id)
        if not FILTERS[self._filter]:
            found = ops.sample_texture(texels, uv, filter=self._filter, fragments=fragments)
        else:
            footprint = self._laid_out("footprint", self._find_footprint, is_by_mesh)
            options = {"uv_derivatives": footprint, "max_anisotropy": FILTERS[self._filter], "fragments": fragments}
            found = ops.sample_texture(surface.maps.levels(name), uv, filter="trilinear", **options)
        return self._by_image(found) if is_by_mesh else found

    def of_faces(self, values: Any) -> Any:
        """[F, C] or [P, F, C] values of faces -> [B, H, W, C], exactly those values; 0 on the background."""
        # With all the weight on one corner, interpolation is a gather, and a faster one than indexing.
        fragments, xp, rows = self.fragments, namespace(values), 1
        if self.surface.ranges is not None and values.ndim == 3:  # then the rows' faces are laid one behind the other
            rows = values.shape[0]
            values = xp.reshape(values, (-1, values.shape[-1]))
        if rows > 1:
            fragments = fragments._replace(triangle_id=self._once("faces by camera", self._find_faces_by_camera))
        at_corner = fragments._replace(barycentrics=xp.zeros_like(fragments.barycentrics))
        return ops.interpolate(values, at_corner, face_index(self.mesh, rows))

    def plane(self, values: Any) -> Any:
        """[C] or [B, C] for all pixels of an image -> [B, H, W, C]."""
        values = like(values, self.mesh.vertices)
        return self.covered * (values if values.ndim == 1 else values[:, None, None, :])

    @property
    def base_color(self) -> Any:
        """[B, H, W, 3], or [B, H, W, 1] for white: the mesh's colours times the material's."""
        return self._once("base_color", self._find_base_color)

    @property
    def opacity(self) -> Any:
        """[B, H, W, 1], 0 on the background; None where all that is seen is opaque."""
        return self._once("opacity", self._find_opacity)

    @property
    def is_white(self) -> bool:
        return not self._colors

    @property
    def _colors(self) -> list[Any]:
        """What multiplies to colour and alpha, each [B, H, W, 3 or 4]."""
        return self._once("colors", self._find_colors)

    def _of_vertices(self, values: Any) -> Any:
        return ops.interpolate(values, self.fragments, self.mesh.triangles)

    def _find_uv(self) -> Any:
        return ops.interpolate(self.mesh.uv, self.fragments, triangles_of(self.mesh, "uv"))

    def _find_footprint(self) -> Any:
        mesh, surface = self.mesh, self.surface
        uv = (mesh.uv, self.fragments, triangles_of(mesh, "uv"))
        return ops.screen_derivatives(*uv, surface.pos_clip, mesh.triangles, ranges=surface.ranges)

    def _laid_out(self, name: str, find: Callable[[], Any], is_by_mesh: bool) -> Any:
        x = self._once(name, find)
        return self._once(f"{name} by mesh", lambda: self._by_mesh(x)) if is_by_mesh else x

    def _by_mesh(self, x: Any) -> Any:
        """[B, h, w, ...] of P cameras and R meshes -> [R, P h, w, ...]."""
        rows, (height, *rest) = self.surface.pos_clip.shape[0], x.shape[1:]
        xp, axes = namespace(x), range(3, len(rest) + 3)
        x = xp.permute_dims(xp.reshape(x, (rows, -1, height, *rest)), (1, 0, 2, *axes))
        return xp.reshape(x, (-1, rows * height, *rest))

    def _by_image(self, x: Any) -> Any:
        """[R, P h, w, ...] -> [B, h, w, ...]."""
        rows, (height, *rest) = self.surface.pos_clip.shape[0], self.fragments.depth.shape[1:]
        xp = namespace(x)
        x = xp.permute_dims(xp.reshape(x, (-1, rows, height, *rest, x.shape[-1])), (1, 0, 2, 3, 4))
        return xp.reshape(x, (-1, height, *rest, x.shape[-1]))

    def _find_faces_by_camera(self) -> Any:
        """[B, H, W] triangles of P lists of them one behind the other, a list for each camera."""
        triangle_id, rows = self.fragments.triangle_id, self.surface.pos_clip.shape[0]
        firsts = np.arange(rows, dtype=np.int32) * len(self.mesh.triangles)
        firsts = np.repeat(firsts, self.surface.count // rows)[:, None, None]
        shifted = triangle_id + from_numpy(firsts, like=triangle_id)
        return namespace(shifted).where(triangle_id >= 0, shifted, triangle_id)

    def _find_normals(self) -> Any:
        surface, material = self.surface, normal_mapped(self.mesh.material)
        if not surface.is_smooth and material is None:
            return self.of_faces(surface.face_normals)
        facing = self.of_faces(surface.facing)
        normals = ops.interpolate(*_at(surface.normals, self.fragments))
        if material is None:
            return unit(normals) * facing
        along_u = ops.interpolate(*_at(surface.tangents, self.fragments))
        scale = like(as_float_array(material.normal_scale, np.float64), normals)
        return ops.map_normals(normals, along_u, self.sample("normal_texture"), self.fragments, scale) * facing

    def _find_colors(self) -> list[Any]:
        mesh, colors = self.mesh, []
        if mesh.vertex_colors is not None:
            colors.append(self._of_vertices(mesh.vertex_colors))
        if mesh.face_textures is not None:
            colors.append(ops.sample_face_texture(mesh.face_textures, self.fragments))
        if mesh.texture is not None:
            colors.append(self.sample("texture"))
        if mesh.material is not None and not is_white(mesh.material.base_color):
            colors.append(self.plane(mesh.material.base_color))
        return colors

    def _find_base_color(self) -> Any:
        if self.is_white:
            return self.covered
        factors = [channels(color, 0, 3) for color in self._colors]
        return math.prod(factors[1:], start=factors[0])

    def _find_opacity(self) -> Any:
        material = self.mesh.material
        alphas = [channels(color, 3, 4) for color in self._colors if color.shape[-1] == 4]
        if not alphas or (material is not None and material.alpha_mode == "opaque"):
            return None
        alpha = math.prod(alphas, start=self.covered)
        if material is None or material.alpha_mode == "blend":
            return alpha
        xp = namespace(alpha)
        return xp.where(alpha >= material.alpha_cutoff, self.covered, xp.zeros_like(alpha))


def channels(image: Any, start: int, stop: int) -> Any:
    return image if stop - start == image.shape[-1] else namespace(image).channels(image, start, stop)


def _at(indexed: tuple[Any, Any], fragments: Fragments) -> tuple[Any, Fragments, Any]:
    values, triangles = indexed
    return values, fragments, triangles
