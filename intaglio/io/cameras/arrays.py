# SPDX-License-Identifier: MIT
"""NumPy's .npy and .npz files, read without pickle and without NumPy's own parser, which evaluates their headers.

numpy.lib.format, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..limits import Limits
from .checks import Place

__all__ = ["npz_bytes", "parse_npy", "parse_npz"]

MAGIC = b"\x93NUMPY"
KINDS = r"([<>|=]?)(b1|[iu][1248]|f[248]|U\d{1,6})"
HEADER = re.compile(rf"\{{'descr': '{KINDS}', 'fortran_order': (True|False), 'shape': \(([\d, ]{{,200}})\), \}}\s*")
IS_WHOLE = "was it written by numpy.save, without pickle?"
MAX_ARRAYS = 1000
UNPACKED_FREELY = 64 << 20
# What zipfile raises of a damaged archive, one that is encrypted, or packed in a way it does not know.
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError,
           ArithmeticError, LookupError)  # fmt: skip


def parse_npy(place: Place, data: bytes) -> np.ndarray:
    """The array of a .npy file: numbers or text, never objects.

    Raises:
        InputError: it is damaged, or holds something else.
    """
    if data[:6] != MAGIC or len(data) < 12:
        place.fail("is no .npy file", remedy=IS_WHOLE)
    form, start = ("<H", 10) if data[6] == 1 else ("<I", 12)
    end = start + struct.unpack_from(form, data, 8)[0]
    found = HEADER.fullmatch(data[start:end].decode("latin-1")) if end <= len(data) else None
    if found is None:
        place.fail(f"has a header that is not known: {data[start : min(end, start + 60)]!r}", remedy=IS_WHOLE)
    order, kind, is_fortran, dimensions = found.groups()
    sizes, dtype = [int(word) for word in dimensions.replace(",", " ").split()], np.dtype(f"{order}{kind}")
    count = 1
    for dimension in sizes:
        count *= dimension
    if dtype.itemsize == 0 or count * dtype.itemsize != len(data) - end:
        place.fail(f"declares {count} values of {dtype.itemsize} bytes; got {len(data) - end} bytes", remedy=IS_WHOLE)
    if len(sizes) > 8:
        place.fail(f"has {len(sizes)} axes")
    if max(sizes, default=0) > len(data):  # beside a 0
        place.fail(f"declares an axis of {max(sizes)}", remedy=IS_WHOLE)
    values = np.frombuffer(data, dtype, count, end)
    return values.reshape(sizes, order="F" if is_fortran == "True" else "C")


def parse_npz(path: Path, data: bytes, limits: Limits) -> dict[str, np.ndarray]:
    """The arrays of a .npz file by name.

    Raises:
        InputError: it is damaged, or would unpack to more than `limits` allow.
    """
    allowed = UNPACKED_FREELY + limits.max_ratio * len(data)
    arrays = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ARRAYS:
                Place(path).fail(f"holds {len(entries)} arrays", remedy=f"{MAX_ARRAYS} at most")
            packed = []
            for entry in entries:
                with archive.open(entry) as file:
                    content = file.read(allowed + 1)
                allowed -= len(content)
                if allowed < 0:
                    Place(path).fail("unpacks to too much", remedy=f"max_ratio is {limits.max_ratio}")
                packed.append((entry.filename.removesuffix(".npy"), content))
    except InputError:
        raise
    except DAMAGED as error:
        Place(path).fail(f"is damaged: {str(error)[:200]}", remedy="is it a whole .npz file?")
    for name, content in packed:
        arrays[name] = parse_npy(Place(path, at=name[:80]), content)
    return arrays


def npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """A .npz file; the same bytes every time."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), part.getvalue())
    return whole.getvalue()
