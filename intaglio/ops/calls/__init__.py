# SPDX-License-Identifier: MIT
"""All ops and all native calls, for the front ends."""

from . import classic, cube, geometry, image, layers, loss, shade, soft, surface, texture, textured, visibility
from .classic import CLASSIC_RASTERIZE, CLASSIC_SHADE, CLASSIC_SILHOUETTE, CLASSIC_SWEEP
from .cube import PREFILTER_CUBE, SAMPLE_CUBE, SAMPLE_CUBE_PYRAMID
from .geometry import INTERPOLATE, RASTERIZE, RASTERIZE_BEHIND, SCREEN_DERIVATIVES
from .image import DOWNSAMPLE
from .layers import COMPOSITE, LAYERED_EDGE_GRADIENT
from .loss import SQUARED_ERROR
from .op import Call, Op
from .shade import (
    MAP_NORMALS,
    REFLECT,
    REFLECT_ENVIRONMENT,
    SHADE_BLINN_PHONG,
    SHADE_METALLIC,
    SPHERICAL_HARMONICS,
)
from .soft import SOFT_BLEND, SOFT_RASTERIZE
from .surface import SMOOTH
from .texture import FILTERS, HALVE_TEXTURE, SAMPLE_FACE_TEXTURE, SAMPLE_LEVEL, SAMPLE_PYRAMID, WRAPS
from .textured import TEXTURED
from .visibility import (
    ANTIALIAS,
    EDGE_GRADIENT,
    SILHOUETTE,
    SILHOUETTE_ERROR,
    SILHOUETTE_ERROR_OF_RANGES,
    SWEEP_GRADIENT,
)

__all__ = [
    "ANTIALIAS",
    "CALLS",
    "CLASSIC_RASTERIZE",
    "CLASSIC_SHADE",
    "CLASSIC_SILHOUETTE",
    "CLASSIC_SWEEP",
    "COMPOSITE",
    "DOWNSAMPLE",
    "EDGE_GRADIENT",
    "FILTERS",
    "HALVE_TEXTURE",
    "INTERPOLATE",
    "LAYERED_EDGE_GRADIENT",
    "MAP_NORMALS",
    "OPS",
    "PREFILTER_CUBE",
    "RASTERIZE",
    "RASTERIZE_BEHIND",
    "REFLECT",
    "REFLECT_ENVIRONMENT",
    "SAMPLE_CUBE",
    "SAMPLE_CUBE_PYRAMID",
    "SAMPLE_FACE_TEXTURE",
    "SAMPLE_LEVEL",
    "SAMPLE_PYRAMID",
    "SCREEN_DERIVATIVES",
    "SHADE_BLINN_PHONG",
    "SHADE_METALLIC",
    "SILHOUETTE",
    "SILHOUETTE_ERROR",
    "SILHOUETTE_ERROR_OF_RANGES",
    "SMOOTH",
    "SOFT_BLEND",
    "SOFT_RASTERIZE",
    "SPHERICAL_HARMONICS",
    "SQUARED_ERROR",
    "SWEEP_GRADIENT",
    "TEXTURED",
    "WRAPS",
    "Call",
    "Op",
]

_FILES = (geometry, texture, cube, textured, visibility, soft, layers, image, loss, surface, classic, shade)

OPS: tuple[Op, ...] = sum((file.OPS for file in _FILES), ())

# Every call with the number of its outputs, for frameworks that register them by name.
CALLS: tuple[tuple[Call, int], ...] = sum((file.CALLS for file in _FILES), ())
