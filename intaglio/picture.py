# SPDX-License-Identifier: MIT
"""Linear floats as people see them: 8-bit sRGB, PNG, a batch side by side, a picture that a notebook shows."""

from __future__ import annotations

import functools
import io
import math
from typing import Any

import numpy as np

from .array import to_numpy

__all__ = [
    "Picture",
    "checked_pixels",
    "linear_from_srgb",
    "plain_bytes",
    "png_bytes",
    "srgb_bytes",
    "srgb_from_linear",
]

EASILY_SEEN = 128  # pixels; what is smaller is shown enlarged


class Picture:
    """A linear picture, or a batch of them side by side, that shows itself in a notebook.

    Args:
        image: [H, W] greys such as a silhouette, [H, W, 3] colours, [H, W, 4] with alpha, or a batch of one of these;
            any framework. What has three axes is one picture in colours where the last is 3 or 4, else a batch of
            greys. Values beyond 0 and 1 are cut off.

    It is kept as it is now: 8-bit sRGB, as `save_image` writes it. Pictures of less than 128 pixels are shown enlarged.

    Raises:
        ValueError: `image` has another shape, or is not finite.

    Example:
        >>> Picture(render_silhouette(shapes.teapot().normalized(), Camera.look_at((0, 1, 3)), (64, 96)))
        Picture(64 x 96)
    """

    def __init__(self, image: Any) -> None:
        pixels = to_numpy(image)
        is_batch = pixels.ndim == 4 or (pixels.ndim == 3 and pixels.shape[-1] not in (3, 4))
        self.pixels = _side_by_side([srgb_bytes(x, "Picture") for x in (pixels if is_batch else [pixels])])

    def __repr__(self) -> str:
        return f"Picture({self.pixels.shape[0]} x {self.pixels.shape[1]})"

    def _repr_png_(self) -> bytes:
        enlarged = max(1, EASILY_SEEN // max(self.pixels.shape[:2]))
        return png_bytes(self.pixels.repeat(enlarged, axis=0).repeat(enlarged, axis=1))


def png_bytes(pixels: np.ndarray) -> bytes:
    """A PNG file of bytes [H, W], [H, W, 3] or [H, W, 4]."""
    from PIL import Image  # half as costly to import as NumPy: only where it is used

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def srgb_bytes(image: Any, op: str) -> np.ndarray:
    """A linear picture [H, W], [H, W, 3] or [H, W, 4] as uint8 in sRGB; alpha stays linear.

    Raises:
        ValueError: it has another shape, or is not finite; `op` is who says so.
    """
    pixels = checked_pixels(image, op)
    index = (np.clip(pixels, 0, 1) * 65535 + 0.5).astype(np.uint16)
    coded = _srgb_byte_of_linear()[index]
    if pixels.ndim == 3 and pixels.shape[-1] == 4:
        coded[..., 3] = _bytes(pixels[..., 3])
    return coded


def plain_bytes(image: Any, op: str) -> np.ndarray:
    """As `srgb_bytes`, of a picture that is in sRGB already."""
    return _bytes(checked_pixels(image, op))


def checked_pixels(image: Any, op: str) -> np.ndarray:
    """A picture [H, W], [H, W, 3] or [H, W, 4] as a NumPy array.

    Raises:
        ValueError: it has another shape, or is not finite; `op` is who says so.
    """
    pixels = to_numpy(image)
    if pixels.ndim not in (2, 3) or 0 in pixels.shape or (pixels.ndim == 3 and pixels.shape[-1] not in (3, 4)):
        remedy = " (take one image of a batch: image[0])" if pixels.ndim == 4 else ""
        raise ValueError(f"{op}: image must be [H, W], [H, W, 3] or [H, W, 4]; got {list(pixels.shape)}{remedy}")
    if not np.isfinite(pixels).all():
        raise ValueError(f"{op}: image must be finite; got NaN or infinity")
    return pixels


def _bytes(pixels: np.ndarray) -> np.ndarray:
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)


def srgb_from_linear(x: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, for values from 0 to 1."""
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 0.0031308) ** (1 / 2.4) - 0.055)


def linear_from_srgb(x: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, for values from 0 to 1."""
    return np.where(x <= 0.04045, x / 12.92, ((np.maximum(x, 0.04045) + 0.055) / 1.055) ** 2.4)


@functools.cache
def _srgb_byte_of_linear() -> np.ndarray:
    """[65536] bytes: ten times as fast as the power for each pixel, and at most 1/20 of a byte's step off."""
    return (srgb_from_linear(np.arange(65536) / 65535) * 255 + 0.5).astype(np.uint8)


def _side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures of one size in rows and columns, about as many of each; what is left over stays 0."""
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    height, width, *channels = pictures[0].shape
    sheet = np.zeros((rows, columns, *pictures[0].shape), dtype=np.uint8)
    sheet.reshape(-1, *pictures[0].shape)[: len(pictures)] = pictures
    return sheet.swapaxes(1, 2).reshape(rows * height, columns * width, *channels)
