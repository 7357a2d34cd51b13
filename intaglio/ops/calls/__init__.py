# SPDX-License-Identifier: MIT
"""All ops and all native calls, for the front ends."""

from . import geometry, loss, texture, visibility
from .geometry import INTERPOLATE, RASTERIZE, SCREEN_DERIVATIVES
from .loss import SQUARED_ERROR
from .op import Call, Op
from .texture import SAMPLE_FACE_TEXTURE
from .visibility import ANTIALIAS, EDGE_GRADIENT, SILHOUETTE, SWEEP_GRADIENT

__all__ = [
    "ANTIALIAS",
    "CALLS",
    "EDGE_GRADIENT",
    "INTERPOLATE",
    "OPS",
    "RASTERIZE",
    "SAMPLE_FACE_TEXTURE",
    "SCREEN_DERIVATIVES",
    "SILHOUETTE",
    "SQUARED_ERROR",
    "SWEEP_GRADIENT",
    "Call",
    "Op",
]

OPS = geometry.OPS + texture.OPS + visibility.OPS + loss.OPS

# Every call with the number of its outputs, for frameworks that register them by name.
CALLS = geometry.CALLS + texture.CALLS + visibility.CALLS + loss.CALLS
