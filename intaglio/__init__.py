# SPDX-License-Identifier: MIT
"""intaglio: a differentiable mesh renderer.

The ops (rasterize, interpolate, ...) are what everything else is composed of; Mesh, Camera, the lights and render are
the scene layer on top. Importing this imports no framework: an op finds its framework by the type of its arguments, and
the scene layer is loaded at its first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .ops import (
    Fragments,
    SoftFragments,
    antialias,
    downsample,
    edge_gradient,
    get_num_threads,
    interpolate,
    mip_pyramid,
    rasterize,
    sample_cube,
    sample_face_texture,
    sample_texture,
    screen_derivatives,
    set_num_threads,
    silhouette,
    silhouette_error,
    soft_blend,
    soft_rasterize,
    sweep_gradient,
    textured,
)
from .topology import neighbours

if TYPE_CHECKING:
    from . import losses, shapes, skies
    from .baking import BakedTexture, bake_texture, render_normals, visible_triangles
    from .camera import Camera, camera_path, orbit, turntable
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
    "turntable",
    "visible_triangles",
]
__version__ = "0.1.0"

# Where the names above are found when they are first asked for: half of `import intaglio` would be theirs.
_LOADED_LATER = {
    "AmbientLight": "light",
    "Asset": "io",
    "BakedTexture": "baking",
    "BlinnPhong": "material",
    "Camera": "camera",
    "DirectionalLight": "light",
    "EnvironmentLight": "environment",
    "InputError": "io",
    "Limits": "io",
    "Material": "material",
    "Mesh": "mesh",
    "Picture": "picture",
    "PointLight": "light",
    "Rendering": "rendering",
    "SphericalHarmonicsLight": "environment",
    "SpotLight": "light",
    "Unlit": "material",
    "Views": "io",
    "bake_texture": "baking",
    "camera_path": "camera",
    "compare_silhouette": "rendering",
    "load": "io",
    "load_asset": "io",
    "load_cameras": "io",
    "load_image": "io",
    "load_obj": "io",
    "losses": "",
    "orbit": "camera",
    "render": "rendering",
    "render_normals": "baking",
    "render_silhouette": "rendering",
    "save": "io",
    "save_animation": "io",
    "save_cameras": "io",
    "save_image": "io",
    "save_obj": "io",
    "shapes": "",
    "skies": "",
    "turntable": "camera",
    "visible_triangles": "baking",
}


def __getattr__(name: str) -> Any:
    if name not in _LOADED_LATER:
        raise AttributeError(f"module 'intaglio' has no attribute {name!r}")
    module = _LOADED_LATER[name]
    found = getattr(import_module(f".{module}", __name__), name) if module else import_module(f".{name}", __name__)
    globals()[name] = found  # also where a submodule of that name has taken its place
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
