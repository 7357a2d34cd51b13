# SPDX-License-Identifier: MIT
"""intaglio: a differentiable mesh renderer."""

from .ops import (
    Fragments,
    antialias,
    edge_gradient,
    get_num_threads,
    interpolate,
    rasterize,
    sample_face_texture,
    screen_derivatives,
    set_num_threads,
)
from .topology import neighbours

__version__ = "0.1.0"
