# SPDX-License-Identifier: MIT
"""A mesh as a web page in which it turns under the mouse: one file, in which nothing is fetched from anywhere.

The page itself is data/page.html; here stands what is put into it, and how.
"""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from typing import Any

import numpy as np

from .array import to_numpy
from .atlas import bake_face_textures
from .light import DEFAULT_LIGHTS, AmbientLight, DirectionalLight
from .mesh import triangles_of
from .picture import png_bytes, srgb_bytes

__all__ = ["framed", "page"]

PAGE = Path(__file__).parent / "data" / "page.html"
FOV_Y_DEGREES = 60.0  # a camera's default
MAX_LIGHTS = 8  # as in the page's shader
FRAMED_AT_MOST = 16_000_000  # characters, which a notebook keeps in its file


def page(mesh: Any) -> str:
    """The page of a `Mesh`; of a batch its first.

    Raises:
        ValueError: a number is not finite.
    """
    caption = repr(mesh).removeprefix("Mesh(").removesuffix(")")
    scene = {"caption": caption, **_geometry(mesh), **_colors(mesh), **_lights()}
    return PAGE.read_text(encoding="utf-8").replace('"__SCENE__"', json.dumps(scene).replace("<", r"\u003c"), 1)


def framed(page: str) -> str | None:
    """The page as a part of another one; None where it is too long for that."""
    frame = f'<iframe srcdoc="{html.escape(page)}" style="width: 100%; height: 400px; border: 0"></iframe>'
    return frame if len(frame) <= FRAMED_AT_MOST else None


def _geometry(mesh: Any) -> dict[str, Any]:
    vertices = _first(mesh.vertices, 2).astype(np.float32)
    if not np.isfinite(vertices).all():
        raise ValueError("Mesh.to_html: vertices must be finite; got NaN or infinity (did a fit diverge?)")
    ends = (vertices.min(axis=0), vertices.max(axis=0)) if len(vertices) else (np.zeros(3), np.zeros(3))
    centre = (ends[0] + ends[1]) / 2
    return {
        "vertices": _base64(vertices),
        "normals": _base64(np.round(_first(mesh.vertex_normals(), 2) * 32767).astype(np.int16)),
        "triangles": _base64(to_numpy(mesh.triangles).astype(np.uint32)),
        "centre": centre.tolist(),
        "radius": float(np.linalg.norm(vertices - centre, axis=-1).max(initial=0)) or 1.0,
        "fov_y_degrees": FOV_Y_DEGREES,
        "double_sided": mesh.double_sided,
    }


def _colors(mesh: Any) -> dict[str, Any]:
    colors: dict[str, Any] = {}
    if mesh.vertex_colors is not None:
        colors["colors"] = _base64(srgb_bytes(_first(mesh.vertex_colors, 2)[None], "Mesh.to_html"))
    texture, uv = mesh.texture, mesh.uv
    uv_triangles = triangles_of(mesh, "uv")
    if mesh.face_textures is not None and len(mesh.triangles):
        texture, uv, uv_triangles = bake_face_textures(_first(mesh.face_textures, 5))
    if texture is not None:
        colors["texture"] = base64.b64encode(png_bytes(srgb_bytes(_first(texture, 3), "Mesh.to_html"))).decode()
        colors["uv"] = _base64(to_numpy(uv).astype(np.float32))
        colors["uv_triangles"] = _base64(to_numpy(uv_triangles).astype(np.uint32))
    return colors


def _lights() -> dict[str, Any]:
    """What `render` has by default, as the page's shader takes it: directions padded to MAX_LIGHTS."""
    directional = [light for light in DEFAULT_LIGHTS if isinstance(light, DirectionalLight)]
    ambient = [light for light in DEFAULT_LIGHTS if isinstance(light, AmbientLight)]
    directions = np.array([light.direction for light in directional])
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    padding = np.zeros((MAX_LIGHTS - len(directional), 3))
    return {
        "ambient": sum(_strengths(ambient)).tolist(),
        "directions": np.concatenate([directions, padding]).tolist(),
        "strengths": np.concatenate([_strengths(directional), padding]).tolist(),
    }


def _strengths(lights: list[Any]) -> np.ndarray:
    return np.array([np.multiply(light.color, light.intensity) for light in lights])


def _first(x: Any, axes: int) -> np.ndarray:
    """The array itself, or the first of a batch of those."""
    array = to_numpy(x)
    return array[0] if array.ndim > axes else array


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()
