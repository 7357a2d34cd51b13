# SPDX-License-Identifier: MIT
"""COLMAP's cameras.bin, images.bin and points3D.bin."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from ..limits import Limits, read_bytes
from .checks import Place
from .colmap import ColmapCamera, ColmapImage, ColmapPoints, tracks
from .colmap_text import MODEL_REMEDY
from .models import MODELS

__all__ = ["binary_of", "read_binary"]

BY_NUMBER = {model.number: name for name, model in MODELS.items()}
IS_WHOLE = "was it copied completely?"
SEEN = np.dtype([("place", "<f8", 2), ("point", "<u8")])
TRACK = 8  # bytes of one image that sees a point


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
        name = file.name()
        (count,) = file.take("Q")
        seen = np.frombuffer(file.data, SEEN, count, file.skip(SEEN.itemsize * count)) if count else np.zeros(0, SEEN)
        if not np.isfinite(seen["place"]).all():
            place.fail("places must be finite numbers")
        images.append(ColmapImage(pose[:4], pose[4:], camera, name, place, seen["place"], seen["point"]))
    file.finish()
    points = folder / "points3D.bin"
    return cameras, images, _points(points, limits) if points.is_file() else None


def _points(path: Path, limits: Limits) -> ColmapPoints:
    file, numbers, positions, colors = _Bytes(path, limits), [], [], []
    for _ in range(file.take("Q")[0]):
        place = file.place
        number, *position, red, green, blue, error, tracked = file.take("Q3d3BdQ")
        if not np.isfinite([*position, error]).all():
            place.fail("a place and its error must be finite numbers")
        file.skip(TRACK * tracked)
        numbers.append(number)
        positions.append((*position, error))
        colors.append((red, green, blue))
        limits.check_vertices(path, len(positions))
    file.finish()
    rows = np.array(positions, np.float64).reshape(-1, 4)
    colored = np.array(colors, np.uint8).reshape(-1, 3)
    return ColmapPoints(np.array(numbers, np.uint64), rows[:, :3], colored, rows[:, 3])


def binary_of(cameras: list[ColmapCamera], images: list[ColmapImage], points: ColmapPoints | None) -> dict[str, bytes]:
    """The files by name."""
    of_cameras = [struct.pack("<Q", len(cameras))]
    for number, (model, (height, width), parameters) in enumerate(cameras, start=1):
        form = f"<IiQQ{len(parameters)}d"
        of_cameras.append(struct.pack(form, number, MODELS[model].number, width, height, *parameters))
    of_images = [struct.pack("<Q", len(images))]
    for number, image in enumerate(images, start=1):
        pose = struct.pack("<I7dI", number, *image.quaternion, *image.translation, image.camera)
        seen = np.zeros(len(image.seen), SEEN)
        seen["place"], seen["point"] = image.seen, image.points
        of_images += [pose, image.name.encode(), b"\0", struct.pack("<Q", len(seen)), seen.tobytes()]
    of_points = [struct.pack("<Q", len(points.errors) if points else 0)]
    if points:
        for point, position, color, error, track in zip(*points, tracks(images, len(points.errors)), strict=True):
            form = f"<Q3d3BdQ{len(track)}I"
            of_points.append(struct.pack(form, point, *position, *color.tolist(), error, len(track) // 2, *track))
    files = {"cameras.bin": of_cameras, "images.bin": of_images, "points3D.bin": of_points}
    return {name: b"".join(parts) for name, parts in files.items()}
