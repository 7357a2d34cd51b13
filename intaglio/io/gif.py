# SPDX-License-Identifier: MIT
"""GIF, frame by frame as they come. Pillow's own writer keeps all frames and compares each with the last, which takes
longer than coding it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

__all__ = ["gif_parts"]

REPEATED_FOREVER = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
SAMPLED = 2  # every other pixel of every other row is enough to choose colours by


def gif_parts(frames: Iterable[np.ndarray], frames_per_second: int) -> Iterator[bytes]:
    """The bytes of a GIF89a file, in order.

    Args:
        frames: [H, W, 3] uint8, at least one, of one size.
        frames_per_second: as near as hundredths of a second come to it.
    """
    from PIL import GifImagePlugin

    duration_ms = round(1000 / frames_per_second)
    palette = _Palette()
    for number, frame in enumerate(frames):
        if number == 0:
            height, width, _ = frame.shape
            size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
            yield b"GIF89a" + size + b"\x00\x00\x00" + REPEATED_FOREVER
        yield from GifImagePlugin.getdata(palette.coded(frame), duration=duration_ms, include_color_table=True)
    yield b";"


class _Palette:
    """256 colours, chosen anew when a frame is no longer shown as well as the one they were chosen for.

    To choose takes several times as long as all the rest.
    """

    def __init__(self) -> None:
        self._picture: Any = None  # Pillow takes a palette from a picture that has it
        self._error = 0.0

    def coded(self, frame: np.ndarray) -> Any:
        """The frame as a Pillow picture of the palette's colours."""
        from PIL import Image

        picture = Image.fromarray(frame)
        if self._picture is not None:
            coded = picture.quantize(palette=self._picture, dither=Image.Dither.NONE)
            if _error(coded, frame) <= 1.5 * self._error + 1:
                return coded
        sample = Image.fromarray(np.ascontiguousarray(frame[::SAMPLED, ::SAMPLED]))
        self._picture = sample.quantize(256, Image.Quantize.MEDIANCUT)
        coded = picture.quantize(palette=self._picture, dither=Image.Dither.NONE)
        self._error = _error(coded, frame)
        return coded


def _error(coded: Any, frame: np.ndarray) -> float:
    """Root of the mean squared difference, in steps of 255: a small part in the wrong colour counts."""
    colors = np.asarray(coded.getpalette(), dtype=np.float32).reshape(-1, 3)
    shown = colors[np.asarray(coded)[::SAMPLED, ::SAMPLED]]
    return float(np.sqrt(np.mean((shown - frame[::SAMPLED, ::SAMPLED]) ** 2)))
