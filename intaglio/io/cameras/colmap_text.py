# SPDX-License-Identifier: MIT
"""COLMAP's cameras.txt, images.txt and points3D.txt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..limits import Limits, decoded_text, read_bytes
from .checks import Place
from .colmap import NO_POINT, ColmapCamera, ColmapImage, ColmapPoints, tracks
from .models import MODELS

__all__ = ["read_text", "text_of"]

MODEL_REMEDY = f"{', '.join(MODELS)} are read; undistort the pictures"


def read_text(folder: Path, limits: Limits) -> tuple[dict[int, ColmapCamera], list[ColmapImage], ColmapPoints | None]:
    """What the three files say; points only where their file is there.

    Raises:
        InputError: a file is missing, damaged or too large.
    """
    cameras = {}
    for place, words in _rows(folder / "cameras.txt", limits):
        if len(words) < 4:
            place.fail("a camera must have a number, a model, a width and a height")
        number, width, height = (place.whole(words[k], "number, width and height") for k in (0, 2, 3))
        if words[1] not in MODELS:
            place.fail(f"is of a model that is not known: {words[1][:40]!r}", remedy=MODEL_REMEDY)
        if len(words) != 4 + len(MODELS[words[1]].names):
            place.fail(f"{words[1]} must have {len(MODELS[words[1]].names)} parameters; got {len(words) - 4}")
        cameras[number] = ColmapCamera(words[1], (height, width), place.numbers(words[4:], "parameters").tolist())
    images = list(_images(folder / "images.txt", limits))
    file = folder / "points3D.txt"
    return cameras, images, _points(file, limits) if file.is_file() else None


def _images(path: Path, limits: Limits) -> Iterator[ColmapImage]:
    lines = iter(enumerate(_lines(path, limits), start=1))
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        place, words = Place(path, number), line.split(maxsplit=9)
        if len(words) < 10:
            place.fail("an image must have a number, 4 + 3 numbers of its pose, a camera and a name")
        pose = place.numbers(words[1:8], "a pose")
        number, line = next(lines, (number, ""))  # where its points are seen, which may be an empty line
        seen, points = _seen(Place(path, number), line.split())
        camera = place.whole(words[8], "a camera")
        yield ColmapImage(pose[:4].tolist(), pose[4:].tolist(), camera, words[9].rstrip(), place, seen, points)


def _seen(place: Place, words: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """[K, 2] places, [K] numbers of points."""
    if len(words) % 3:
        place.fail(f"what is seen must be x, y and a number each; got {len(words)} words")
    numbers = [NO_POINT if word == "-1" else place.whole(word, "the number of a point") for word in words[2::3]]
    columns = [place.numbers(words[k::3], "places") for k in (0, 1)]
    return np.stack(columns, axis=-1), np.array(numbers, np.uint64)


def _points(path: Path, limits: Limits) -> ColmapPoints:
    numbers, positions, colors = [], [], []
    for place, words in _rows(path, limits):
        if len(words) < 8:
            place.fail("a point must have a number, a place, a colour and an error")
        numbers.append(place.whole(words[0], "the number of a point"))
        positions.append(place.numbers([*words[1:4], words[7]], "a place and its error"))
        colors.append([place.whole(word, "a colour", below=256) for word in words[4:7]])
        limits.check_vertices(path, len(positions))
    rows = np.array(positions).reshape(-1, 4)
    colored = np.array(colors, np.uint8).reshape(-1, 3)
    return ColmapPoints(np.array(numbers, np.uint64), rows[:, :3], colored, rows[:, 3])


def _rows(path: Path, limits: Limits) -> Iterator[tuple[Place, list[str]]]:
    """The words of all lines that hold any and are no comments."""
    for number, line in enumerate(_lines(path, limits), start=1):
        words = line.split()
        if words and not words[0].startswith("#"):
            yield Place(path, number), words


def _lines(path: Path, limits: Limits) -> list[str]:
    return decoded_text(path, read_bytes(path, limits)).split("\n")


def text_of(cameras: list[ColmapCamera], images: list[ColmapImage], points: ColmapPoints | None) -> dict[str, bytes]:
    """The files by name."""
    of_cameras = ["# CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]"]
    for number, camera in enumerate(cameras, start=1):
        of_cameras.append(f"{number} {camera.model} {camera.size[1]} {camera.size[0]} {_spelled(camera.parameters)}")
    of_images = ["# IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME", "# POINTS2D[] as (X, Y, POINT3D_ID)"]
    for number, image in enumerate(images, start=1):
        pose = _spelled((*image.quaternion, *image.translation))
        rows = zip(image.seen.tolist(), image.points.tolist(), strict=True)
        seen = [f"{_spelled(place)} {-1 if point == NO_POINT else point}" for place, point in rows]
        of_images += [f"{number} {pose} {image.camera} {image.name}", " ".join(seen)]
    of_points = ["# POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)"]
    if points:
        for point, position, color, error, track in zip(*points, tracks(images, len(points.errors)), strict=True):
            words = [point, _spelled(position), *color.tolist(), _spelled([error]), *track]
            of_points.append(" ".join(map(str, words)))
    files = {"cameras.txt": of_cameras, "images.txt": of_images, "points3D.txt": of_points}
    return {name: ("\n".join(lines) + "\n").encode() for name, lines in files.items()}


def _spelled(numbers: object) -> str:
    return " ".join(repr(float(x)) for x in numbers)  # type: ignore[attr-defined]
