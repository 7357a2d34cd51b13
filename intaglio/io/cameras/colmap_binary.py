# SPDX-License-Identifier: MIT
"""COLMAP's cameras.bin, images.bin and points3D.bin."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from ..limits import Limits, read_bytes
from .checks import Place
from .colmap import ColmapCamera, ColmapImage, ColmapPoints
from .colmap_text import MODEL_REMEDY
from .models import MODELS

__all__ = ["binary_of", "read_binary"]

BY_NUMBER = {model.number: name for name, model in MODELS.items()}
IS_WHOLE = "was it copied completely?"
NO_POINT = 24  # bytes of one place where an image sees a point, and 8 of one image that sees a point
SEEN_BY = 8


class _Bytes:
    """A file's bytes, taken from the front."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self.data, self.at = path, read_bytes(path, limits), 0

    @property
    def place(self) -> Place:
        return Place(self.path, at=f"byte {self.at}")

    def skip(self, count: int) -> int:
        """The place of so many bytes, which must be there."""
        start = self.at
        if count > len(self.data) - start:
            self.place.fail("ends too early", remedy=IS_WHOLE)
        self.at += count
        return start

    def take(self, form: str) -> tuple:
        """Little-endian numbers."""
        return struct.unpack_from(f"<{form}", self.data, self.skip(struct.calcsize(f"<{form}")))

    def name(self) -> str:
        """Text up to a zero byte."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            self.place.fail("ends within a name", remedy=IS_WHOLE)
        text = self.data[self.at : end]
        self.at = end + 1
        return text.decode("utf-8", errors="replace")

    def finish(self) -> None:
        """That nothing is left."""
        if self.at != len(self.data):
            self.place.fail(f"has {len(self.data) - self.at} bytes more than it declares")


def read_binary(folder: Path, limits: Limits) -> tuple[dict[int, ColmapCamera], list[ColmapImage], ColmapPoints | None]:
    """What the three files say; points only where their file is there.

    Raises:
        InputError: a file is missing, damaged or too large.
    """
    cameras = {}
    file = _Bytes(folder / "cameras.bin", limits)
    for _ in range(file.take("Q")[0]):
        place = file.place
        number, model, width, height = file.take("IiQQ")
        if model not in BY_NUMBER:
            place.fail(f"is of a model that is not known: {model}", remedy=MODEL_REMEDY)
        name = BY_NUMBER[model]
        cameras[number] = ColmapCamera(name, (height, width), file.take(f"{len(MODELS[name].names)}d"))
    file.finish()
    file, images = _Bytes(folder / "images.bin", limits), []
    for _ in range(file.take("Q")[0]):
        place = file.place
        _, *pose, camera = file.take("I7dI")
        images.append(ColmapImage(pose[:4], pose[4:], camera, file.name(), place))
        file.skip(NO_POINT * file.take("Q")[0])
    file.finish()
    points = folder / "points3D.bin"
    return cameras, images, _points(points, limits) if points.is_file() else None


def _points(path: Path, limits: Limits) -> ColmapPoints:
    file, positions, colors = _Bytes(path, limits), [], []
    for _ in range(file.take("Q")[0]):
        place = file.place
        _, *position, red, green, blue, _, tracked = file.take("Q3d3BdQ")
        if not np.isfinite(position).all():
            place.fail("a place must be finite numbers")
        file.skip(SEEN_BY * tracked)
        positions.append(position)
        colors.append((red, green, blue))
        limits.check_vertices(path, len(positions))
    file.finish()
    return ColmapPoints(np.array(positions, np.float64).reshape(-1, 3), np.array(colors, np.uint8).reshape(-1, 3))


def binary_of(cameras: list[ColmapCamera], images: list[ColmapImage], points: ColmapPoints | None) -> dict[str, bytes]:
    """The files by name."""
    of_cameras = [struct.pack("<Q", len(cameras))]
    for number, (model, (height, width), parameters) in enumerate(cameras, start=1):
        form = f"<IiQQ{len(parameters)}d"
        of_cameras.append(struct.pack(form, number, MODELS[model].number, width, height, *parameters))
    of_images = [struct.pack("<Q", len(images))]
    for number, image in enumerate(images, start=1):
        pose = struct.pack("<I7dI", number, *image.quaternion, *image.translation, image.camera)
        of_images.append(pose + image.name.encode() + b"\0" + struct.pack("<Q", 0))
    pairs = list(zip(*points, strict=True)) if points else []
    of_points = [struct.pack("<Q", len(pairs))]
    of_points += [struct.pack("<Q3d3BdQ", number, *position, *color.tolist(), 0.0, 0)
                  for number, (position, color) in enumerate(pairs, start=1)]  # fmt: skip
    files = {"cameras.bin": of_cameras, "images.bin": of_images, "points3D.bin": of_points}
    return {name: b"".join(parts) for name, parts in files.items()}
