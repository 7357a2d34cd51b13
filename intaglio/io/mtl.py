# SPDX-License-Identifier: MIT
"""Wavefront MTL: the colour or the picture of each material."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .images import read_picture
from .limits import Limits
from .mtl_text import read_mtl

__all__ = ["MtlMaterial", "load_materials"]


@dataclass(frozen=True)
class MtlMaterial:
    """`color` (3 numbers) where there is no `picture` ([H, W, 3]), of which uv * uv_scale + uv_offset is seen.

    v is counted from the bottom there. clamp: whether the picture ends at its border instead of repeating.
    """

    color: tuple[float, float, float] | None = None
    picture: np.ndarray | None = None
    uv_scale: tuple[float, float] = (1.0, 1.0)
    uv_offset: tuple[float, float] = (0.0, 0.0)
    clamp: bool = False

    @property
    def moves(self) -> bool:
        """Whether the picture is scaled or moved."""
        return (self.uv_scale, self.uv_offset) != ((1.0, 1.0), (0.0, 0.0))


def load_materials(path: Path, folder: Path, limits: Limits, *, linear: bool = True) -> dict[str, MtlMaterial]:
    """The materials of an MTL file by name. Pictures are looked for beside the file and must lie inside `folder`.

    linear: False leaves colours and pictures as the files have them.
    """
    pictures: dict[Path, np.ndarray] = {}
    materials: dict[str, MtlMaterial] = {}
    for name, entries in read_mtl(path, limits).items():
        color, seen = entries.color("Kd", linear=linear), entries.map("map_Kd", folder)
        if seen is None:
            materials[name] = MtlMaterial(color)
            continue
        if seen.file not in pictures:
            left = limits.max_pixels - sum(p.shape[0] * p.shape[1] for p in pictures.values())
            pictures[seen.file] = read_picture(seen.file, limits, seen.named, linear=linear, max_pixels=left)
        materials[name] = MtlMaterial(color, pictures[seen.file], seen.scale, seen.offset, seen.clamp)
    return materials
