# SPDX-License-Identifier: MIT
"""What all readers of cameras ask of numbers, poses and the names of pictures before they believe them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ...camera.matrices import VIEW_FROM_OPENCV
from ..errors import InputError
from ..images import image_size
from ..limits import Limits, inside_folder, read_bytes

__all__ = ["Pictures", "Place", "Planes", "check_invertible", "checked_size", "opencv_of_view", "view_of_opencv",
           "view_of_world_from_view"]  # fmt: skip

MAX_SIDE = 1 << 20
FLIP = np.diag([*np.diag(VIEW_FROM_OPENCV), 1.0])


class Planes(NamedTuple):
    """Those of all cameras of a file."""

    near: float
    far: float


@dataclass(frozen=True)
class Place:
    """Where in a file something stands."""

    path: Path
    line: int | None = None
    at: str = ""

    def fail(self, what: str, *, remedy: str = "") -> NoReturn:
        """Raise InputError about it."""
        raise InputError(self.path, what, line=self.line, at=self.at, remedy=remedy)

    def numbers(self, words: Sequence[str], what: str) -> np.ndarray:
        """Finite numbers."""
        try:
            found = np.array([float(word) for word in words], dtype=np.float64)
        except ValueError:
            found = np.array([np.nan])
        if not np.isfinite(found).all() or any("_" in word for word in words):
            self.fail(f"{what} must be finite numbers; got {' '.join(words)[:80]!r}")
        return found

    def whole(self, word: str, what: str, *, low: int = 0, below: int = 1 << 63) -> int:
        """A whole number."""
        if not (word.isascii() and word.isdecimal() and len(word) < 20 and low <= int(word) < below):
            self.fail(f"{what} must be a whole number from {low} to {below - 1}; got {word[:30]!r}")
        return int(word)


def checked_size(place: Place, height: int, width: int) -> tuple[int, int]:
    """(height, width) of a picture.

    Raises:
        InputError: it is empty or too large for one.
    """
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        place.fail(f"its picture must have from 1 to {MAX_SIDE} columns and rows; got {width} and {height}")
    return height, width


def view_of_opencv(place: Place, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """view_from_world [4, 4] of x_camera = R x_world + t, x right, y down, z forward.

    Raises:
        InputError: the numbers are not finite, or R flattens space.
    """
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = R, t
    _check_pose(place, pose)
    return FLIP @ pose


def view_of_world_from_view(place: Place, world_from_view: np.ndarray) -> np.ndarray:
    """Its inverse [4, 4].

    Raises:
        InputError: it has none, or is no affine matrix of finite numbers.
    """
    _check_pose(place, world_from_view)
    with np.errstate(all="ignore"):
        view = np.linalg.inv(world_from_view)
    if not np.isfinite(view).all():
        place.fail("its pose must have an inverse of finite numbers")
    view[3] = 0, 0, 0, 1
    return view


def opencv_of_view(view_from_world: Any) -> tuple[np.ndarray, np.ndarray]:
    """R [3, 3] and t [3] of a view, as OpenCV says them."""
    pose = FLIP @ np.asarray(view_from_world, np.float64)
    return pose[:3, :3], pose[:3, 3]


def _check_pose(place: Place, pose: np.ndarray) -> None:
    if not np.isfinite(pose).all():
        place.fail("its pose must be given in finite numbers")
    if (pose[3] != (0, 0, 0, 1)).any():
        place.fail(f"the last row of its pose must be 0 0 0 1; got {' '.join(f'{x:g}' for x in pose[3])}")
    check_invertible(place, pose[:3, :3], "its rotation")


def check_invertible(place: Place, matrix: np.ndarray, what: str) -> None:
    """That a matrix flattens nothing, whatever the lengths of its rows and columns.

    Raises:
        InputError: it does.
    """
    for axis in (0, 1):
        largest = np.abs(matrix).max(axis=axis, keepdims=True)
        matrix = matrix / np.where(largest > 0, largest, 1)
    if not abs(np.linalg.det(matrix)) > 1e-9:
        place.fail(f"{what} must have an inverse; it flattens space")


@dataclass
class Pictures:
    """The pictures that a file names, as they are found in a folder; None where that folder is not known."""

    folder: Path | None
    limits: Limits
    missing: list[str]

    def find(self, place: Place, name: str, endings: Sequence[str] = ("",)) -> Path | None:
        """The path of a picture, or None, and it is listed as missing.

        Raises:
            InputError: the name leads out of the folder.
        """
        if not name:
            place.fail("names no picture")
        if self.folder is not None:
            for ending in endings:
                path = self.folder / f"{name}{ending}"
                if inside_folder(place.path, path, self.folder, line=place.line, at=place.at).is_file():
                    return path
        self.missing.append(name)
        return None

    def size_of(self, path: Path) -> tuple[int, int]:
        """(height, width) of a picture by its head."""
        height, width, _ = image_size(read_bytes(path, self.limits), path, max_pixels=self.limits.max_pixels)
        return height, width
