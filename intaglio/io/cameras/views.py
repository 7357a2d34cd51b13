# SPDX-License-Identifier: MIT
"""Cameras of a file, each with its picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...camera import Camera

__all__ = ["Views"]


@dataclass(frozen=True, eq=False)
class Views:
    """What `load_cameras` gives: as many of everything as there are views. NumPy, float64.

    cameras: one `Camera` each, without a batch axis.
    sizes: (height, width) of the pictures; None where a file says none and needs none.
    names: of the pictures, as the file has them.
    images: their paths; None where there is no such file. Empty where a file names no pictures.
    masks: paths of their masks; None where there is none. Empty where there are none at all.
    missing: pictures and masks that the file names and that are not there.
    bounds: [N, 2], the nearest and farthest depth of each view, or None.
    points: [P, 3], world space, or None. point_colors: [P, 3], linear, float32, or None. point_errors: [P], or None.
    observations: [K, 3] each, what was seen in a picture: its place in pixels, x right and y down from the upper left
        corner, and the number of its point, or -1. Empty where a file says none.
    changes: what reading converted, in words.

    Example:
        >>> views = intaglio.load_cameras("lego/transforms_train.json")
        >>> render(mesh, views.camera[:4], views.sizes[0])
    """

    cameras: tuple[Camera, ...]
    sizes: tuple[tuple[int, int] | None, ...] = ()
    names: tuple[str, ...] = ()
    images: tuple[Path | None, ...] = ()
    masks: tuple[Path | None, ...] = ()
    missing: tuple[str, ...] = ()
    bounds: np.ndarray | None = None
    points: np.ndarray | None = None
    point_colors: np.ndarray | None = None
    point_errors: np.ndarray | None = None
    observations: tuple[np.ndarray, ...] = ()
    changes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.cameras)

    @property
    def camera(self) -> Camera:
        """All as one camera with a batch axis.

        Raises:
            ValueError: there are none, or their projections are of several kinds.
        """
        return Camera.stack(self.cameras)
