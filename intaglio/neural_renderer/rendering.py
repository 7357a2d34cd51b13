# SPDX-License-Identifier: MIT
"""The renderer as an object: a camera, a light and a raster, all of which may be changed at any time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..array import like, namespace
from .cameras import look, look_at, perspective, projection, vertices_to_faces
from .lighting import face_light
from .rasterizing import FaceMaps, draw, rasterize_maps

Array = Any

__all__ = ["CAMERA_MODES", "RendererMethods", "vertex_colors_to_textures"]

CAMERA_MODES = ("projection", "look", "look_at")


class RendererMethods:
    """What `Renderer` does, whatever its framework.

    camera_mode: "projection" (K, R, t, dist_coeffs, orig_size), "look" (eye, camera_direction) or "look_at" (eye,
        towards the origin), the last two with `perspective` and `viewing_angle`, half of the field of view in degrees.
        Any other word, set after construction, means that vertices are on the screen already.
    image_size: a number, or (height, width).
    fill_back: draw faces from behind too.
    near, far: what lies between them is drawn, in every kind of picture.
    rasterizer_eps: eps of rgb pictures (see `rasterize_rgbad`); silhouettes have 1e-4, as in 2018.

    Every argument is an attribute of its name. Vectors may be lists, NumPy arrays, or the framework's own arrays, which
    get gradients.
    """

    def __init__(
        self,
        image_size: Any = 256,
        anti_aliasing: bool = True,
        background_color: Any = (0, 0, 0),
        fill_back: bool = True,
        camera_mode: str = "projection",
        K: Any = None,
        R: Any = None,
        t: Any = None,
        dist_coeffs: Any = None,
        orig_size: Any = 1024,
        perspective: bool = True,
        viewing_angle: Any = 30,
        camera_direction: Any = (0, 0, 1),
        near: float = 0.1,
        far: float = 100,
        light_intensity_ambient: Any = 0.5,
        light_intensity_directional: Any = 0.5,
        light_color_ambient: Any = (1, 1, 1),
        light_color_directional: Any = (1, 1, 1),
        light_direction: Any = (0, 1, 0),
    ):
        super().__init__()
        if camera_mode not in CAMERA_MODES:
            raise ValueError(f"Renderer: camera_mode must be one of {', '.join(CAMERA_MODES)}; got {camera_mode!r}")
        self.image_size = image_size
        self.anti_aliasing = anti_aliasing
        self.background_color = _listed(background_color)
        self.fill_back = fill_back
        self.camera_mode = camera_mode
        self.K, self.R, self.t = K, R, t
        self.dist_coeffs = [[0.0] * 5] if dist_coeffs is None else dist_coeffs
        self.orig_size = orig_size
        self.perspective = perspective
        self.viewing_angle = viewing_angle
        self.eye = [0, 0, -(1.0 / math.tan(math.radians(viewing_angle)) + 1)]
        self.camera_direction = _listed(camera_direction)
        self.near = near
        self.far = far
        self.light_intensity_ambient = light_intensity_ambient
        self.light_intensity_directional = light_intensity_directional
        self.light_color_ambient = _listed(light_color_ambient)
        self.light_color_directional = _listed(light_color_directional)
        self.light_direction = _listed(light_direction)
        self.rasterizer_eps = 1e-3

    def forward(
        self,
        vertices: Array,
        faces: Array,
        textures: Array | None = None,
        mode: str | None = None,
        K: Any = None,
        R: Any = None,
        t: Any = None,
        dist_coeffs: Any = None,
        orig_size: Any = None,
    ) -> Any:
        """mode: None for `render`, "rgb", "silhouettes" or "depth" for the method of that name."""
        camera = (K, R, t, dist_coeffs, orig_size)
        if mode is None:
            return self.render(vertices, faces, textures, *camera)
        if mode == "rgb":
            return self.render_rgb(vertices, faces, textures, *camera)
        if mode == "silhouettes":
            return self.render_silhouettes(vertices, faces, *camera)
        if mode == "depth":
            return self.render_depth(vertices, faces, *camera)
        raise ValueError(f"Renderer: mode must be None, 'rgb', 'silhouettes' or 'depth'; got {mode!r}")

    def render(
        self,
        vertices: Array,
        faces: Array,
        textures: Array,
        K: Any = None,
        R: Any = None,
        t: Any = None,
        dist_coeffs: Any = None,
        orig_size: Any = None,
    ) -> tuple[Array, Array, Array]:
        """(rgb [B, 3, H, W], depth [B, H, W], alpha [B, H, W]) of a mesh.

        vertices: [B, N, 3]. faces: [B, F, 3], or [F, 3] for all, integers.
        textures: [B, F, T, T, T, 3], or colours of the vertices [B, N, 3]. All that is float is differentiable.
        K, R, t, dist_coeffs, orig_size: in place of the attributes of their names.
        """
        pictures = self._colored(vertices, faces, textures, (K, R, t, dist_coeffs, orig_size))
        return pictures["rgb"], pictures["depth"], pictures["alpha"]

    def render_rgb(
        self,
        vertices: Array,
        faces: Array,
        textures: Array,
        K: Any = None,
        R: Any = None,
        t: Any = None,
        dist_coeffs: Any = None,
        orig_size: Any = None,
    ) -> Array:
        """The colours of `render`, [B, 3, H, W]."""
        camera = (K, R, t, dist_coeffs, orig_size)
        return self._colored(vertices, faces, textures, camera, return_alpha=False, return_depth=False)["rgb"]

    def render_silhouettes(
        self,
        vertices: Array,
        faces: Array,
        K: Any = None,
        R: Any = None,
        t: Any = None,
        dist_coeffs: Any = None,
        orig_size: Any = None,
    ) -> Array:
        """Alpha alone, [B, H, W]; its gradient has eps 1e-4."""
        corners = self._placed(vertices, faces, (K, R, t, dist_coeffs, orig_size))
        return draw(corners, None, self.image_size, **self._raster(), return_depth=False)["alpha"]

    def render_depth(
        self,
        vertices: Array,
        faces: Array,
        K: Any = None,
        R: Any = None,
        t: Any = None,
        dist_coeffs: Any = None,
        orig_size: Any = None,
    ) -> Array:
        """Depth alone, [B, H, W]."""
        corners = self._placed(vertices, faces, (K, R, t, dist_coeffs, orig_size))
        return draw(corners, None, self.image_size, **self._raster(), return_alpha=False)["depth"]

    def render_maps(
        self,
        vertices: Array,
        faces: Array,
        K: Any = None,
        R: Any = None,
        t: Any = None,
        dist_coeffs: Any = None,
        orig_size: Any = None,
    ) -> FaceMaps:
        """Which face every pixel shows, and where on it, without anti-aliasing. Not in the original."""
        corners = self._placed(vertices, faces, (K, R, t, dist_coeffs, orig_size))
        return rasterize_maps(corners, self.image_size, self.near, self.far, fill_back=self.fill_back)

    def _colored(
        self, vertices: Array, faces: Array, textures: Array, camera: tuple, **wanted: bool
    ) -> dict[str, Array]:
        if textures is None:
            raise ValueError("Renderer: textures must be given for rgb; got None (silhouettes and depth need none)")
        if len(textures.shape) == 3:
            textures = vertex_colors_to_textures(textures, faces)
        light = face_light(
            vertices_to_faces(vertices, faces),
            self.light_intensity_ambient,
            self.light_intensity_directional,
            self.light_color_ambient,
            self.light_color_directional,
            self.light_direction,
            fill_back=self.fill_back,
        )
        corners = self._placed(vertices, faces, camera)
        look = {"light": light, "eps": self.rasterizer_eps, "background_color": self.background_color}
        return draw(corners, textures, self.image_size, **self._raster(), **look, **wanted)

    def _raster(self) -> dict[str, Any]:
        return {"fill_back": self.fill_back, "anti_aliasing": self.anti_aliasing, "near": self.near, "far": self.far}

    def _placed(self, vertices: Array, faces: Array, camera: tuple) -> Array:
        """The corners of the faces on the screen."""
        if self.camera_mode == "projection":
            given = (self.K, self.R, self.t, self.dist_coeffs, self.orig_size)
            K, R, t, dist_coeffs, orig_size = (own if x is None else x for x, own in zip(camera, given, strict=True))
            missing = [name for name, x in (("K", K), ("R", R), ("t", t)) if x is None]
            if missing:
                remedy = "give it to Renderer or to the call, or choose another camera_mode"
                raise ValueError(
                    f"Renderer: {missing[0]} must be given for camera_mode 'projection'; got None ({remedy})"
                )
            vertices = projection(vertices, K, R, t, dist_coeffs, orig_size)
        elif self.camera_mode in ("look", "look_at"):
            if self.camera_mode == "look_at":
                vertices = look_at(vertices, self.eye)
            else:
                vertices = look(vertices, self.eye, self.camera_direction)
            if self.perspective:
                vertices = perspective(vertices, self.viewing_angle)
        return vertices_to_faces(vertices, faces)


def _listed(x: Any) -> Any:
    """Lists of the caller's own, so that nobody else's changes with them."""
    return list(x) if isinstance(x, tuple | list) else x


def vertex_colors_to_textures(colors: Array, faces: Array) -> Array:
    """Textures [B, F, 2, 2, 2, 3] that blend the colours [B, N, 3] of a face's corners linearly. Differentiable."""
    corners = vertices_to_faces(colors, faces)
    # Texel (i, j, k) = i c0 + j c1 + k c2, between which a trilinear sample is b0 c0 + b1 c1 + b2 c2.
    texels = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), axis=-1).reshape(8, 3)
    return namespace(colors).reshape(like(texels, colors) @ corners, (*corners.shape[:2], 2, 2, 2, 3))
