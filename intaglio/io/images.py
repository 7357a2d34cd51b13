# SPDX-License-Identifier: MIT
"""Pictures in and out: linear floats inside, 8-bit sRGB at the door; or floats as they are, where files hold light."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..picture import checked_pixels, linear_from_srgb, plain_bytes, png_bytes, srgb_bytes
from . import pfm, radiance
from .atomic import write_atomically
from .errors import InputError
from .limits import Limits, read_bytes

__all__ = ["decode_image", "image_size", "load_image", "read_picture", "save_image"]

FORMATS = ("PNG", "JPEG")
# What holds light itself, of any strength: the bytes that it begins with, its reader; its ending, its writer.
LIGHT_READERS = {
    radiance.MAGIC: radiance.decode_radiance,
    b"PF": pfm.decode_pfm,
    b"Pf": pfm.decode_pfm,
}
LIGHT_WRITERS = {".hdr": radiance.encode_radiance, ".pfm": pfm.encode_pfm}


def load_image(path: str | Path, *, linear: bool = True, max_pixels: int | None = None) -> np.ndarray:
    """A PNG or JPEG file as [H, W, 3] float32, or [H, W, 4] where it has an alpha channel; linear, 0 to 1.

    A Radiance file (.hdr, RGBE) or a float map (.pfm) as [H, W, 3] float32: light of any strength, linear; EXPOSURE and
    COLORCORR of a .hdr are undone. Its bytes tell of which kind a file is, not its name. Grey becomes three equal
    channels.

    Other arguments:
        linear: False leaves the numbers as the file has them (sRGB, most often), from 0 to 1. Light is linear anyway.
        max_pixels: what is larger is refused; Pillow's own limit where not given, for light that of `Limits`.

    Raises:
        InputError: the file is missing, damaged, of another format, or too large.
    """
    return _decoded(read_bytes(Path(path), Limits()), path, linear, max_pixels)


def read_picture(
    path: Path, limits: Limits, named: str, *, linear: bool = True, max_pixels: int | None = None
) -> np.ndarray:
    """[H, W, 3], as `load_image`, of a picture that another file asks for; alpha is left out.

    named: what is said of that where it is missing. max_pixels: what is left of those of `limits`.

    Raises:
        InputError: as of `load_image`, or it is larger than `limits`.
    """
    most = limits.max_pixels if max_pixels is None else max_pixels
    return _decoded(read_bytes(path, limits, named), path, linear, most)[..., :3]


def _decoded(data: bytes, path: str | Path, linear: bool, max_pixels: int | None) -> np.ndarray:
    read_light = LIGHT_READERS.get(data[:2])
    if read_light is not None:
        return read_light(data, path, Limits().max_pixels if max_pixels is None else max_pixels)
    return decode_image(data, path, linear=linear, max_pixels=max_pixels)


def decode_image(data: bytes, path: str | Path, *, linear: bool = True, max_pixels: int | None = None) -> np.ndarray:
    """As `load_image`, from the bytes of a PNG or JPEG file; `path` is what errors call it."""
    return _opened(data, path, lambda picture: _float_array(picture, linear), max_pixels)


def image_size(data: bytes, path: str | Path, *, max_pixels: int | None = None) -> tuple[int, int, str]:
    """(height, width, "image/png" or "image/jpeg") by the head of a picture's bytes; its pixels may be damaged yet."""
    return _opened(
        data,
        path,
        lambda picture: (picture.height, picture.width, "image/png" if picture.format == "PNG" else "image/jpeg"),
        max_pixels,
    )


def _opened(data: bytes, path: str | Path, take: Callable[[Any], Any], max_pixels: int | None) -> Any:
    from PIL import Image, UnidentifiedImageError  # half as costly to import as NumPy: only where it is used

    limit = Image.MAX_IMAGE_PIXELS if max_pixels is None else max_pixels
    too_large = InputError(path, "is too large a picture", remedy=f"{limit} pixels at most")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Pillow says of parts that are damaged and not needed
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                if limit is not None and picture.width * picture.height > limit:
                    raise too_large
                return take(picture)
    except UnidentifiedImageError as error:
        raise InputError(path, "is not a PNG or JPEG picture", remedy="convert it to PNG") from error
    except Image.DecompressionBombError as error:  # twice Pillow's own limit
        raise too_large from error
    except InputError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError, KeyError) as error:
        raise InputError(path, f"is damaged: {error}", remedy="was it copied completely?") from error


def save_image(path: str | Path, image: Any, *, linear: bool = True) -> None:
    """Write a linear picture, whole or not at all: as 8-bit sRGB PNG, or as light of any strength.

    Args:
        path: ends in .png; in .hdr (Radiance: each channel to 1/255 of the pixel's largest, none below 0) or .pfm
            (32-bit floats).
        image: [H, W, 3], [H, W, 4] with alpha, or [H, W] in greys; any framework. In a PNG values beyond 0 and 1 are
            cut off; light has no alpha.

    Other arguments:
        linear: False writes the numbers as they are.

    Raises:
        InputError: `path` has another ending or cannot be written to.
        ValueError: `image` has another shape, or is not finite, for light in 32 bits.
    """
    ending = Path(path).suffix.lower()
    if ending in LIGHT_WRITERS:
        file = LIGHT_WRITERS[ending](_light_pixels(image))
    elif ending == ".png":
        file = png_bytes((srgb_bytes if linear else plain_bytes)(image, "save_image"))
    else:
        raise InputError(path, "pictures are written as PNG, HDR or PFM", remedy="end the name in .png, .hdr or .pfm")
    write_atomically(path, lambda aside: aside.write_bytes(file))


def _light_pixels(image: Any) -> np.ndarray:
    pixels = checked_pixels(image, "save_image")
    if np.abs(pixels).max() > np.finfo(np.float32).max:
        raise ValueError(f"save_image: image must be finite in 32 bits; got {np.abs(pixels).max():.3g}")
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=-1)
    if pixels.shape[-1] != 3:
        remedy = "light has no alpha: image[..., :3]"
        raise ValueError(
            f"save_image: image must be [H, W] or [H, W, 3] for light; got {list(pixels.shape)} ({remedy})"
        )
    return pixels


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
