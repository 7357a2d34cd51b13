# SPDX-License-Identifier: MIT
"""All ops and all native calls, for the front ends."""

from . import geometry, visibility
from .geometry import INTERPOLATE, RASTERIZE, SCREEN_DERIVATIVES
from .op import Call, Op
from .visibility import ANTIALIAS, EDGE_GRADIENT

__all__ = [
    "ANTIALIAS",
    "CALLS",
    "EDGE_GRADIENT",
    "INTERPOLATE",
    "OPS",
    "RASTERIZE",
    "SCREEN_DERIVATIVES",
    "Call",
    "Op",
]

OPS = geometry.OPS + visibility.OPS

# Every call with the number of its outputs, for frameworks that register them by name.
CALLS = geometry.CALLS + visibility.CALLS
