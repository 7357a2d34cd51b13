# SPDX-License-Identifier: MIT
"""The floor: bare_loop.cpp, compiled for this machine with every liberty a compiler offers."""

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from . import IdsAndDepth

COMMAND = ("g++", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC")
_SOURCE = Path(__file__).with_suffix(".cpp")
_LIBRARY = Path(__file__).parents[2] / "build" / "bare_loop.so"
_LANES = 16


def check() -> None:
    """Raises RuntimeError where it can't be compiled."""
    if shutil.which(COMMAND[0]) is None:
        raise RuntimeError(f"bare loop: needs the compiler {COMMAND[0]} (Debian: apt install g++)")


def _compiled() -> Any:
    if not _LIBRARY.exists() or _LIBRARY.stat().st_mtime < _SOURCE.stat().st_mtime:
        _LIBRARY.parent.mkdir(exist_ok=True)
        subprocess.run([*COMMAND, str(_SOURCE), "-o", str(_LIBRARY)], check=True)
    return ctypes.CDLL(str(_LIBRARY)).bare_loop


def forward(pos_clip: np.ndarray, triangles: np.ndarray, size: tuple[int, int], *, skew_bytes: int = 0) -> IdsAndDepth:
    """Renders pos_clip [V,4], triangles [F,3]; depth is z / w; the same two arrays at every call.

    Both begin on a cache line; the depths `skew_bytes` further into a page than the ids.
    """
    height, width = size
    row_length = -(-width // _LANES) * _LANES
    triangle_id = _page_aligned((height, row_length), np.int32, 0)
    depth = _page_aligned((height, row_length), np.float32, skew_bytes)
    pos_clip, triangles = np.ascontiguousarray(pos_clip, np.float32), np.ascontiguousarray(triangles, np.int32)
    function = _compiled()
    arguments = (_address(pos_clip), len(pos_clip), _address(triangles), len(triangles), height, width, row_length)
    arguments += (_address(triangle_id), _address(depth))

    def render() -> tuple[np.ndarray, np.ndarray]:
        function(*arguments)
        return triangle_id[:, :width], depth[:, :width]

    return render


def _page_aligned(shape: tuple[int, int], dtype: type, offset_bytes: int) -> np.ndarray:
    page = 4096
    size = shape[0] * shape[1] * np.dtype(dtype).itemsize
    memory = np.empty(size + page + offset_bytes, np.uint8)
    begin = -memory.ctypes.data % page + offset_bytes
    return memory[begin : begin + size].view(dtype).reshape(shape)


def _address(array: np.ndarray) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)  # keeps the array alive, as c_void_p(array.ctypes.data) does not
