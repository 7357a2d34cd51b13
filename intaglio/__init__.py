# SPDX-License-Identifier: MIT
"""intaglio: a differentiable mesh renderer.

The ops (rasterize, interpolate, ...) are what everything else is composed of; Mesh, Camera, the lights and render are
the scene layer on top. Importing this imports no framework: an op finds its framework by the type of its arguments, and
the scene layer is loaded at its first use.
"""

from typing import TYPE_CHECKING

from .later import later
from .ops import (
    Fragments,
    antialias,
    downsample,
    edge_gradient,
    get_num_threads,
    interpolate,
    mip_pyramid,
    rasterize,
    sample_face_texture,
    sample_texture,
    screen_derivatives,
    set_num_threads,
    silhouette,
    silhouette_error,
    sweep_gradient,
    textured,
    textured_error,
)
from .topology import neighbours

if TYPE_CHECKING:
    from . import losses, shapes, skies
    from .baking import BakedTexture, bake_texture, render_normals, visible_triangles
    from .camera import Camera, camera_path, orbit, turntable
    from .comparing import compare_textured
    from .environment import EnvironmentLight, SphericalHarmonicsLight
    from .io import (
        Asset,
        InputError,
        Limits,
        Views,
        load,
        load_asset,
        load_cameras,
        load_image,
        load_obj,
        save,
        save_animation,
        save_cameras,
        save_image,
        save_obj,
    )
    from .light import AmbientLight, DirectionalLight, PointLight, SpotLight
    from .material import BlinnPhong, Material, Unlit
    from .mesh import Mesh
    from .ops import SoftFragments, sample_cube, soft_blend, soft_rasterize
    from .packing import Pack, pack
    from .picture import Picture
    from .rendering import Rendering, compare_silhouette, render, render_silhouette

__all__ = [
    "AmbientLight",
    "Asset",
    "BakedTexture",
    "BlinnPhong",
    "Camera",
    "DirectionalLight",
    "EnvironmentLight",
    "Fragments",
    "InputError",
    "Limits",
    "Material",
    "Mesh",
    "Pack",
    "Picture",
    "PointLight",
    "Rendering",
    "SoftFragments",
    "SphericalHarmonicsLight",
    "SpotLight",
    "Unlit",
    "Views",
    "antialias",
    "bake_texture",
    "camera_path",
    "compare_silhouette",
    "compare_textured",
    "downsample",
    "edge_gradient",
    "get_num_threads",
    "interpolate",
    "load",
    "load_asset",
    "load_cameras",
    "load_image",
    "load_obj",
    "losses",
    "mip_pyramid",
    "neighbours",
    "orbit",
    "pack",
    "rasterize",
    "render",
    "render_normals",
    "render_silhouette",
    "sample_cube",
    "sample_face_texture",
    "sample_texture",
    "save",
    "save_animation",
    "save_cameras",
    "save_image",
    "save_obj",
    "screen_derivatives",
    "set_num_threads",
    "shapes",
    "silhouette",
    "silhouette_error",
    "skies",
    "soft_blend",
    "soft_rasterize",
    "sweep_gradient",
    "textured",
    "textured_error",
    "turntable",
    "visible_triangles",
]
__version__ = "0.1.0"

# Half of `import intaglio` would be theirs.
__getattr__ = later(
    __name__,
    baking=("BakedTexture", "bake_texture", "render_normals", "visible_triangles"),
    camera=("Camera", "camera_path", "orbit", "turntable"),
    comparing=("compare_textured",),
    environment=("EnvironmentLight", "SphericalHarmonicsLight"),
    io=(
        "Asset",
        "InputError",
        "Limits",
        "Views",
        "load",
        "load_asset",
        "load_cameras",
        "load_image",
        "load_obj",
        "save",
        "save_animation",
        "save_cameras",
        "save_image",
        "save_obj",
    ),
    light=("AmbientLight", "DirectionalLight", "PointLight", "SpotLight"),
    losses=(),
    material=("BlinnPhong", "Material", "Unlit"),
    mesh=("Mesh",),
    ops=("SoftFragments", "sample_cube", "soft_blend", "soft_rasterize"),
    packing=("Pack", "pack"),
    picture=("Picture",),
    rendering=("Rendering", "compare_silhouette", "render", "render_silhouette"),
    shapes=(),
    skies=(),
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
