# SPDX-License-Identifier: MIT
"""Portable float maps (.pfm): 32-bit floats, the lowest row first. Debevec, HDRShop: the PFM format."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from .errors import InputError

__all__ = ["HEADER", "decode_pfm", "encode_pfm"]

# Its kind, width and height, and a scale whose sign tells the order of bytes; one whitespace or the two bytes by which
# Windows ends a line, then the floats.
HEADER = re.compile(rb"P([Ff])\s+(\d{1,9})\s+(\d{1,9})\s+([-+]?[0-9.eE+-]{1,32})(?:\r\n|\s)")


def decode_pfm(data: bytes, path: str | Path, max_pixels: int) -> np.ndarray:
    """[H, W, 3] float32; greys become three equal channels. The scale's size is passed over, as most readers do.

    Raises:
        InputError: it is damaged, too large or not finite; `path` is what errors call it.
    """
    found = HEADER.match(data)
    try:
        width, height, scale = (int(found[2]), int(found[3]), float(found[4])) if found else (0, 0, 0.0)
    except ValueError:
        width, height, scale = 0, 0, 0.0
    if found is None or 0 in (width, height) or not np.isfinite(scale) or scale == 0:
        raise InputError(path, "has no header of a float map", remedy="such as PF 512 256 -1.0")
    if width * height > max_pixels:
        raise InputError(path, "is too large a picture", remedy=f"{max_pixels} pixels at most")
    channels = 3 if found[1] == b"F" else 1
    count = width * height * channels
    if len(data) - found.end() < 4 * count:
        raise InputError(path, "ends before its last pixel", remedy="was it copied completely?")
    values = np.frombuffer(data, "<f4" if scale < 0 else ">f4", count, found.end()).astype(np.float32)
    if not np.isfinite(values).all():
        raise InputError(path, "holds numbers that are not finite", remedy="a picture's light must be")
    image = values.reshape(height, width, channels)[::-1]
    return np.ascontiguousarray(np.broadcast_to(image, (height, width, 3)))


def encode_pfm(pixels: np.ndarray) -> bytes:
    """A .pfm file of [H, W, 3]."""
    head = f"PF\n{pixels.shape[1]} {pixels.shape[0]}\n-1.0\n".encode()
    return head + pixels[::-1].astype("<f4").tobytes()
