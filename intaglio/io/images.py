# SPDX-License-Identifier: MIT
"""Pictures in and out: linear floats inside, 8-bit sRGB at the door."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..array import to_numpy
from .atomic import write_atomically
from .errors import InputError

__all__ = ["linear_from_srgb", "load_image", "save_image", "srgb_bytes", "srgb_from_linear"]

FORMATS = ("PNG", "JPEG")


def load_image(path: str | Path, *, linear: bool = True) -> np.ndarray:
    """A PNG or JPEG file as [H, W, 3] float32, or [H, W, 4] where it has an alpha channel; linear, 0 to 1.

    Grey becomes three equal channels.

    Other arguments:
        linear: False leaves the numbers as the file has them (sRGB, most often), from 0 to 1.

    Raises:
        InputError: the file is missing, damaged, of another format, or of more pixels than Pillow holds to be sane.
    """
    from PIL import Image, UnidentifiedImageError  # half as costly to import as NumPy: only where it is used

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                return _float_array(picture, linear)
    except FileNotFoundError as error:
        raise InputError(path, "there is no such file") from error
    except UnidentifiedImageError as error:
        raise InputError(path, "is not a PNG or JPEG picture", remedy="convert it to PNG") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        limit = f"{Image.MAX_IMAGE_PIXELS} pixels at most"
        raise InputError(path, "is too large a picture", remedy=limit) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow raises on damaged data
        raise InputError(path, f"is damaged: {error}", remedy="was it copied completely?") from error


def save_image(path: str | Path, image: Any, *, linear: bool = True) -> None:
    """Write a linear picture as 8-bit sRGB PNG, whole or not at all.

    Args:
        path: ends in .png.
        image: [H, W, 3], [H, W, 4] with alpha, or [H, W] in greys; any framework. Values beyond 0 and 1 are cut off.

    Other arguments:
        linear: False writes the numbers as they are.

    Raises:
        InputError: `path` has another ending or cannot be written to.
        ValueError: `image` has another shape, or is not finite.
    """
    from PIL import Image

    if Path(path).suffix.lower() != ".png":
        raise InputError(path, "pictures are written as PNG", remedy="end the name in .png")
    picture = Image.fromarray(srgb_bytes(image) if linear else _bytes(_checked_pixels(image)))
    write_atomically(path, lambda aside: picture.save(aside, format="PNG"))


def srgb_bytes(image: Any) -> np.ndarray:
    """A linear picture [H, W], [H, W, 3] or [H, W, 4] as uint8 in sRGB; alpha stays linear."""
    pixels = _checked_pixels(image)
    index = (np.clip(pixels, 0, 1) * 65535 + 0.5).astype(np.uint16)
    coded = _srgb_byte_of_linear()[index]
    if pixels.ndim == 3 and pixels.shape[-1] == 4:
        coded[..., 3] = _bytes(pixels[..., 3])
    return coded


def _checked_pixels(image: Any) -> np.ndarray:
    pixels = to_numpy(image)
    if pixels.ndim not in (2, 3) or 0 in pixels.shape or (pixels.ndim == 3 and pixels.shape[-1] not in (3, 4)):
        remedy = " (take one image of a batch: image[0])" if pixels.ndim == 4 else ""
        raise ValueError(f"save_image: image must be [H, W], [H, W, 3] or [H, W, 4]; got {list(pixels.shape)}{remedy}")
    if not np.isfinite(pixels).all():
        raise ValueError("save_image: image must be finite; got NaN or infinity")
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


def _float_array(picture: Any, linear: bool) -> np.ndarray:
    decoded: Callable[[np.ndarray], np.ndarray] = linear_from_srgb if linear else lambda x: x
    if picture.mode.startswith("I"):  # 16 bits of grey
        grey = decoded(np.asarray(picture, dtype=np.float64) / 65535).astype(np.float32)
        return np.repeat(grey[..., None], 3, axis=-1)
    has_alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    pixels = np.asarray(picture.convert("RGBA" if has_alpha else "RGB"))
    values = decoded(np.arange(256) / 255).astype(np.float32)[pixels]
    if has_alpha:
        values[..., 3] = pixels[..., 3] / np.float32(255)
    return values
