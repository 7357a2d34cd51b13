# SPDX-License-Identifier: MIT
"""How much a file may ask for, and the one way by which readers take files in."""

from __future__ import annotations

import codecs
import stat
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError

__all__ = ["Limits", "Total", "decoded_text", "inside_folder", "read_bytes"]


@dataclass(frozen=True)
class Limits:
    """What a reader takes from a stranger before it refuses.

    Args:
        max_bytes: of each file.
        max_vertices: of all of a file together, and of all that it shows, as often as it does; of the triangles twice
            as many. A vertex counts once more for each morph target, and in what is shown for each joint.
        max_pixels: of each picture, and of all together that a mesh is painted with.
        max_ratio: bytes that a file may unpack to for each of its own, beyond the first 64 MiB.
    """

    max_bytes: int = 1 << 30
    max_vertices: int = 1 << 25
    max_pixels: int = 1 << 27
    max_ratio: int = 100

    def check_vertices(self, path: Path, count: int) -> None:
        """Raise InputError where there are too many."""
        if count > self.max_vertices:
            raise InputError(path, f"has too many vertices: {count}", remedy=f"max_vertices is {self.max_vertices}")

    def check_triangles(self, path: Path, count: int) -> None:
        """Raise InputError where there are too many."""
        if count > 2 * self.max_vertices:
            remedy = f"twice max_vertices, {2 * self.max_vertices}, at most"
            raise InputError(path, f"has too many triangles: {count}", remedy=remedy)


class Total:
    """What a file has together, counted as it is read: thousands of things may name the same few bytes.

    Both raise InputError where the limits are passed.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self._vertices = self._triangles = 0

    def add_vertices(self, count: int) -> None:
        self._vertices += count
        self._limits.check_vertices(self._path, self._vertices)

    def add_triangles(self, count: int) -> None:
        self._triangles += count
        self._limits.check_triangles(self._path, self._triangles)


def read_bytes(path: Path, limits: Limits, remedy: str = "") -> bytes:
    """A whole regular file; never one that waits for a writer or has no end.

    Raises:
        InputError: it is missing, too large, or cannot be read; `remedy` says what to do then.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise InputError(path, "is no ordinary file", remedy=remedy)
        if status.st_size > limits.max_bytes:
            raise InputError(path, f"is too large: {status.st_size} bytes", remedy=f"max_bytes is {limits.max_bytes}")
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
        if len(data) > limits.max_bytes:  # some have no size of their own
            raise InputError(path, "is too large", remedy=f"max_bytes is {limits.max_bytes}")
        return data
    except FileNotFoundError as error:
        raise InputError(path, "there is no such file", remedy=remedy) from error
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}", remedy=remedy) from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(repr(str(path)), "is no name of a file") from error  # a zero byte


def decoded_text(path: Path, data: bytes) -> str:
    """UTF-8, with the mark that some editors begin it with or without; other bytes become a sign for that.

    Raises:
        InputError: it is UTF-16.
    """
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise InputError(path, "is text in UTF-16", remedy="save it as UTF-8")
    return data.decode("utf-8-sig", errors="replace")


def inside_folder(path: Path, file: Path, folder: Path, *, line: int | None = None, at: str = "") -> Path:
    """`file`, unless a link or '..' leads it out of `folder`: a mesh of a stranger reads no other files.

    Raises:
        InputError: it leads out, or cannot be a file's name; `path`, `line` and `at` are where it is named.
    """
    try:
        is_inside = file.resolve().is_relative_to(folder.resolve())
        file.is_file()
    except (OSError, ValueError, RuntimeError) as error:  # too long, a zero byte, a circle of links
        what = f"names what no file can be called: {file.name[:80]!r}"
        raise InputError(path, what, line=line, at=at) from error
    if not is_inside:
        remedy = "copy what it needs beside it and name it relatively"
        raise InputError(path, f"names a file outside of its folder: {file}", line=line, at=at, remedy=remedy)
    return file
