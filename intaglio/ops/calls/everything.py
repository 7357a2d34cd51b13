# SPDX-License-Identifier: MIT
"""All ops and all native calls, for frameworks that register them by name."""

from . import classic, cube, geometry, image, layers, loss, shade, soft, surface, texture, textured, visibility
from .op import Call, Op

_FILES = (geometry, texture, cube, textured, visibility, soft, layers, image, loss, surface, classic, shade)

OPS: tuple[Op, ...] = sum((file.OPS for file in _FILES), ())

# Every call with the number of its outputs.
CALLS: tuple[tuple[Call, int], ...] = sum((file.CALLS for file in _FILES), ())
