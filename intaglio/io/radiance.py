# SPDX-License-Identifier: MIT
"""Radiance's pictures of light (.hdr): three bytes of mantissa and one of exponent a pixel, in runs.

Ward: Real Pixels, Graphics Gems II, 1991. Radiance, "File Formats", Picture File Format (.hdr): the header, three
ways of writing scanlines (flat, old runs of pixels, new runs of each byte), eight orders of the axes.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from .errors import InputError
from .limits import Limits

__all__ = ["MAGIC", "decode_radiance", "encode_radiance"]

MAGIC = b"#?"
BIAS = 128 + 8  # of the exponent, and the mantissa's bits
NEW_RUNS = range(8, 1 << 15)  # widths that scanlines of new runs can have
LONGEST_RUN, LONGEST_LITERAL = 127, 128
SHORTEST_RUN = 4  # below it, a run costs more than it saves
HEADER = 1 << 16  # bytes in which it must end
FREE_PIXELS = 1 << 24  # that a file of any size may hold: four bytes each
CUT = "was it copied completely?"


def decode_radiance(data: bytes, path: str | Path, max_pixels: int) -> np.ndarray:
    """[H, W, 3] float32, linear: what the file's numbers stood for before EXPOSURE and COLORCORR multiplied them.

    Raises:
        InputError: it is damaged, too large, or in XYZ; `path` is what errors call it.
    """
    settings, turn, (num_lines, length), start = _header(data, path)
    if num_lines * length > max_pixels:
        raise InputError(path, "is too large a picture", remedy=f"{max_pixels} pixels at most")
    if 4 * (num_lines * length - FREE_PIXELS) > Limits().max_ratio * len(data):  # old runs have no bound of their own
        remedy = f"{Limits().max_ratio} for each of its own at most, beyond the first {4 * FREE_PIXELS >> 20} MiB"
        raise InputError(path, "unpacks to too many bytes", remedy=remedy)
    if length in NEW_RUNS and data[start : start + 2] == b"\2\2" and data[start + 2 : start + 3] < b"\x80":
        pixels = _new_runs(data, start, num_lines, length, path)
    else:
        pixels = _old_runs(data, start, num_lines * length, path).reshape(num_lines, length, 4)
    light = _light(pixels)
    if (settings != 1).any():
        with np.errstate(over="ignore"):
            light *= settings
        if not np.isfinite(light).all():
            raise InputError(path, "its light is too bright for 32-bit numbers", remedy="is its EXPOSURE right?")
    return turn(light)


def encode_radiance(pixels: np.ndarray) -> bytes:
    """A .hdr file of [H, W, 3], to 1/255 of a pixel's largest channel. What is negative becomes 0."""
    height, width = pixels.shape[:2]
    rgbe = _rgbe(pixels)
    head = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n".encode()
    if width not in NEW_RUNS:
        return head + rgbe.tobytes()
    parts = [head]
    for line in rgbe:
        parts.append(_line_start(width))
        for channel in range(4):
            parts += _runs(np.ascontiguousarray(line[:, channel]))
    return b"".join(parts)


def _line_start(length: int) -> bytes:
    return bytes((2, 2, length >> 8, length & 255))


def _header(data: bytes, path: str | Path) -> tuple:
    """What multiplies the numbers [3], what turns scanlines into an image, (their number, length), where they begin."""
    settings, end = np.ones(3), 0
    for number, raw in enumerate(data[:HEADER].split(b"\n")[:-1], start=1):
        line, end = raw.strip(), end + len(raw) + 1
        if not line and number > 1:
            break
        name, _, value = line.partition(b"=")
        if name == b"FORMAT" and value.strip() != b"32-bit_rle_rgbe":
            shown = value.strip()[:40].decode("ascii", "replace")
            raise InputError(path, f"holds pixels of the format {shown}", line=number, remedy="convert it to RGBE")
        if name in (b"EXPOSURE", b"COLORCORR"):
            with np.errstate(over="ignore"):
                settings = settings / _factors(value, 3 if name == b"COLORCORR" else 1, path, number)
    else:
        raise InputError(path, "its header has no end", remedy=CUT)
    order = re.compile(rb" *([+-])([XY]) +(\d{1,9}) +([+-])([XY]) +(\d{1,9}) *\r?\n").match(data, end)
    if order is None or order[2] == order[5]:
        remedy = "such as -Y 512 +X 1024"
        raise InputError(path, "its size must be told below the header", line=number + 1, remedy=remedy)
    size = int(order[3]), int(order[6])
    if 0 in size:
        raise InputError(path, f"is a picture of {size[0]} x {size[1]} pixels", line=number + 1)
    if not ((settings > 0) & (settings < np.finfo(np.float32).max)).all():
        raise InputError(path, "its EXPOSURE leaves no light", remedy="delete the line")
    # Scanlines are rows or columns. Rows run down where Y falls, columns to the right where X grows.
    steps = (1 if order[1] == (b"-" if order[2] == b"Y" else b"+") else -1,
             1 if order[4] == (b"-" if order[5] == b"Y" else b"+") else -1)  # fmt: skip

    def turn(lines: np.ndarray) -> np.ndarray:
        image = lines[:: steps[0], :: steps[1]]
        return np.ascontiguousarray(image if order[2] == b"Y" else image.swapaxes(0, 1))

    return settings.astype(np.float32), turn, size, order.end()


def _factors(value: bytes, count: int, path: str | Path, line: int) -> np.ndarray:
    try:
        factors = np.array([float(word) for word in value.split()])
    except ValueError:
        factors = np.zeros(0)
    if len(factors) != count or not (np.isfinite(factors) & (factors > 0)).all():
        shown = value.strip()[:40].decode("ascii", "replace")
        expected = "a number above 0" if count == 1 else f"{count} numbers above 0"
        raise InputError(path, f"must have {expected} here; got {shown!r}", line=line, remedy="delete the line")
    return factors


def _new_runs(data: bytes, at: int, num_lines: int, length: int, path: str | Path) -> np.ndarray:
    """[num_lines, length, 4]. A byte above 128 says how often the next is repeated, others how many follow as is."""
    start, lines = _line_start(length), []
    if num_lines * 4 * (1 + length // LONGEST_RUN) > len(data):
        raise InputError(path, "ends before its last scanline", remedy=CUT)
    for line in range(num_lines):
        if data[at : at + 4] != start:
            what = "ends before its last scanline" if at + 4 > len(data) else f"scanline {line} is damaged"
            raise InputError(path, what, remedy=CUT)
        at += 4
        pieces = []
        for _ in range(4):
            left = length
            while left > 0:
                if at + 1 >= len(data):
                    raise InputError(path, "ends before its last scanline", remedy=CUT)
                count = data[at]
                if count > LONGEST_LITERAL:
                    count -= LONGEST_LITERAL
                    pieces.append(data[at + 1 : at + 2] * count)
                    at += 2
                else:
                    pieces.append(data[at + 1 : at + 1 + count])
                    at += 1 + count
                left -= count
                if count == 0 or left < 0:
                    raise InputError(path, f"scanline {line} is damaged: a run of {count}", remedy=CUT)
        line_bytes = b"".join(pieces)
        if len(line_bytes) != 4 * length:
            raise InputError(path, "ends before its last scanline", remedy=CUT)
        lines.append(line_bytes)
    return np.frombuffer(b"".join(lines), np.uint8).reshape(num_lines, 4, length).swapaxes(1, 2)


def _old_runs(data: bytes, at: int, num_pixels: int, path: str | Path) -> np.ndarray:
    """[num_pixels, 4]. A pixel 1, 1, 1, n repeats the one before n times; one after the other are a number's bytes."""
    given = np.frombuffer(data, np.uint8, offset=at)
    given = given[: len(given) // 4 * 4].reshape(-1, 4)[:num_pixels]
    is_run = (given[:, :3] == 1).all(axis=1)
    if not is_run.any():
        if len(given) < num_pixels:
            raise InputError(path, "ends before its last pixel", remedy=CUT)
        return given
    index = np.arange(len(given))
    last = np.maximum.accumulate(np.where(is_run, -1, index))  # the pixel that a run repeats
    if last[0] < 0:
        raise InputError(path, "begins with a run of no pixel", remedy=CUT)
    place = index - last - 1  # of the byte in the run's number
    counts = np.where(is_run, given[:, 3].astype(np.int64) << np.minimum(8 * place, 40), 1)
    ends = np.cumsum(np.minimum(counts, num_pixels + 1))
    used = int(np.searchsorted(ends, num_pixels)) + 1
    if used > len(given):
        raise InputError(path, "ends before its last pixel", remedy=CUT)
    if ends[used - 1] != num_pixels:
        raise InputError(path, "has a run that is longer than the picture", remedy=CUT)
    return given[np.repeat(last[:used], counts[:used])]


def _light(rgbe: np.ndarray) -> np.ndarray:
    """[..., 4] bytes -> [..., 3] float32: mantissa / 256 times 2^(exponent - 128); exponent 0 is black."""
    exponents = np.arange(256) - BIAS
    scale = np.where(np.arange(256) > 0, np.ldexp(1.0, exponents), 0).astype(np.float32)
    return rgbe[..., :3].astype(np.float32) * scale[rgbe[..., 3]][..., None]


def _rgbe(pixels: np.ndarray) -> np.ndarray:
    """[H, W, 3] -> [H, W, 4] bytes, the nearest."""
    largest = np.ldexp(255.0, 255 - BIAS)
    light = np.clip(pixels.astype(np.float64), 0, largest)
    # The exponent of what the largest channel is after rounding: 255.5 / 256 would become 256.
    exponent = np.frexp(light.max(axis=-1) * (256 / 255.5))[1]
    stored = np.clip(exponent + 128, 0, 255)
    mantissa = np.rint(np.ldexp(light, (BIAS - stored)[..., None])).clip(0, 255)
    is_lit = (stored > 0) & (light.max(axis=-1) > 0)
    return np.where(is_lit[..., None], np.concatenate([mantissa, stored[..., None]], axis=-1), 0).astype(np.uint8)


def _runs(values: np.ndarray) -> list[bytes]:
    """One byte of each pixel of a scanline, in new runs."""
    edges = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1], [True]]))
    is_long = np.diff(edges) >= SHORTEST_RUN
    parts: list[bytes] = []
    data, at = values.tobytes(), 0

    def copy(end: int) -> None:
        for begin in range(at, end, LONGEST_LITERAL):
            piece = data[begin : min(begin + LONGEST_LITERAL, end)]
            parts.extend((bytes((len(piece),)), piece))

    for begin, end in zip(edges[:-1][is_long].tolist(), edges[1:][is_long].tolist(), strict=True):
        copy(begin)
        value = data[begin : begin + 1]
        full, rest = divmod(end - begin, LONGEST_RUN)
        parts.append((bytes((LONGEST_LITERAL + LONGEST_RUN,)) + value) * full)
        parts.append((bytes((LONGEST_LITERAL + rest,)) + value) * (rest > 0))
        at = end
    copy(len(data))
    return parts
