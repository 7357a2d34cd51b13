# SPDX-License-Identifier: MIT
"""The ops: what each means, the checks at its door, and its dispatch to a front end by the type of its arguments.

Shapes: B images of H x W pixels, V vertices, F triangles, C channels. Values are float32 or float64 (all of one call
alike), indices int32. Errors are ValueErrors that name op, argument, what was expected, what came and the remedy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from intaglio import _native
from intaglio.later import later

from .geometry import MAX_SIZE, Fragments, interpolate, rasterize, screen_derivatives
from .image import downsample
from .surface import smooth
from .texture import mip_pyramid, sample_face_texture, sample_texture
from .textured import textured, textured_error
from .visibility import antialias, edge_gradient, silhouette, silhouette_error, sweep_gradient

if TYPE_CHECKING:
    from .cube import cube_directions, prefilter_cube, sample_cube
    from .layers import MAX_LAYERS, composite, layered_edge_gradient
    from .loss import squared_error
    from .shade import (
        map_normals,
        reflect,
        reflect_environment,
        shade_blinn_phong,
        shade_metallic,
        spherical_harmonics,
    )
    from .soft import SoftFragments, soft_blend, soft_rasterize

__all__ = [
    "MAX_LAYERS",
    "MAX_SIZE",
    "Fragments",
    "SoftFragments",
    "antialias",
    "composite",
    "cube_directions",
    "downsample",
    "edge_gradient",
    "get_num_threads",
    "interpolate",
    "layered_edge_gradient",
    "map_normals",
    "mip_pyramid",
    "num_gpus",
    "prefilter_cube",
    "rasterize",
    "reflect",
    "reflect_environment",
    "sample_cube",
    "sample_face_texture",
    "sample_texture",
    "screen_derivatives",
    "set_num_threads",
    "shade_blinn_phong",
    "shade_metallic",
    "silhouette",
    "silhouette_error",
    "simd_level",
    "smooth",
    "soft_blend",
    "soft_rasterize",
    "spherical_harmonics",
    "squared_error",
    "sweep_gradient",
    "textured",
    "textured_error",
    "why_no_gpus",
]

# What a silhouette does not need would be a third of `import intaglio`.
__getattr__ = later(
    __name__,
    cube=("cube_directions", "prefilter_cube", "sample_cube"),
    layers=("MAX_LAYERS", "composite", "layered_edge_gradient"),
    loss=("squared_error",),
    shade=(
        "map_normals",
        "reflect",
        "reflect_environment",
        "shade_blinn_phong",
        "shade_metallic",
        "spherical_harmonics",
    ),
    soft=("SoftFragments", "soft_blend", "soft_rasterize"),
)

MAX_THREADS = 1024


def set_num_threads(count: int) -> None:
    """How many threads the ops may use, the caller's included (default: all cores). Results do not depend on it."""
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MAX_THREADS:
        raise ValueError(
            f"set_num_threads: count must be an integer from 1 to {MAX_THREADS}; got {count!r} "
            "(1 means no extra threads)"
        )
    _native.set_num_threads(count)


def get_num_threads() -> int:
    """How many threads the ops may use."""
    return _native.num_threads()


def num_gpus() -> int | None:
    """How many GPUs the ops can draw on; None where they are built without kernels for them."""
    return _native.num_gpus() if _native.has_cuda() else None


def why_no_gpus() -> str:
    """What is in the way of drawing on one, where `num_gpus` finds none: "intaglio ..."."""
    return _native.why_no_gpus()


def simd_level() -> str:
    """What the loops over pixels run on: "x86-64-v4" (AVX-512), "x86-64-v3" (AVX2) or "default", which every processor
    of its kind has. Results do not depend on it.
    """
    return _native.simd_level()
