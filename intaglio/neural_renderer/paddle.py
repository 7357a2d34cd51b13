# SPDX-License-Identifier: MIT
"""`neural_renderer` for PaddlePaddle: `import intaglio.neural_renderer.paddle as nr`."""

from __future__ import annotations

from typing import Any

from ..array import framework
from . import files, modules
from .cameras import get_points_from_angles, look, look_at, perspective, projection, vertices_to_faces
from .files import save_obj
from .lighting import lighting
from .meshes import MeshMethods
from .rasterizing import (
    FaceMaps,
    RasterizeMethods,
    rasterize,
    rasterize_depth,
    rasterize_maps,
    rasterize_rgbad,
    rasterize_silhouettes,
)
from .rendering import RendererMethods, vertex_colors_to_textures

framework("paddle")  # imports it without its warning to those who compile extensions
import paddle  # noqa: E402

__all__ = [
    "FaceMaps",
    "Mesh",
    "Rasterize",
    "Renderer",
    "get_points_from_angles",
    "lighting",
    "load_obj",
    "look",
    "look_at",
    "perspective",
    "projection",
    "rasterize",
    "rasterize_depth",
    "rasterize_maps",
    "rasterize_rgbad",
    "rasterize_silhouettes",
    "save_obj",
    "vertex_colors_to_textures",
    "vertices_to_faces",
]

__version__ = "1.1.3.4"  # of the original that this stands for
name = "neural_renderer_paddle"


def load_obj(
    filename_obj: Any,
    normalization: bool = True,
    texture_size: int = 4,
    load_texture: bool = False,
    texture_wrapping: str = "REPEAT",
    use_bilinear: bool = True,
) -> tuple[paddle.Tensor, ...]:
    """(vertices [N, 3] float32, faces [F, 3] int32) of an OBJ file; with load_texture also textures [F, T, T, T, 3].

    normalization: centre it, its longest side from -1 to 1.
    texture_size: T. texture_wrapping: REPEAT, MIRRORED_REPEAT, CLAMP_TO_EDGE or CLAMP_TO_BORDER (black).

    Raises ValueError where the file or one that it names is missing or damaged.
    """
    return files.load_obj(
        "paddle", filename_obj, normalization, texture_size, load_texture, texture_wrapping, use_bilinear
    )


class Mesh(MeshMethods):
    __doc__ = MeshMethods.__doc__
    framework = "paddle"

    @staticmethod
    def random_textures(shape: tuple) -> paddle.Tensor:
        return paddle.create_parameter(shape, "float32", default_initializer=paddle.nn.initializer.Normal(0.0, 0.05))


class Rasterize(RasterizeMethods, paddle.nn.Layer):
    __doc__ = RasterizeMethods.__doc__


class Renderer(RendererMethods, paddle.nn.Layer):
    __doc__ = RendererMethods.__doc__

    def __setattr__(self, name: str, value: Any) -> None:
        # A Layer refuses a list where there was a tensor: here `renderer.eye = [0, 0, -2]` replaces it.
        for kept in ("_parameters", "_buffers"):
            self.__dict__.get(kept, {}).pop(name, None)
        super().__setattr__(name, value)


modules.add_submodules(__name__)
