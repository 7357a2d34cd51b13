# SPDX-License-Identifier: MIT
"""Arrays into one buffer: views, accessors, alignment, targets and bounds as the specification wants them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np

from .accessors import COMPONENTS, WIDTHS

__all__ = ["ELEMENTS", "VERTICES", "Packing"]

VERTICES, ELEMENTS = 34962, 34963  # targets of views
CODES = {dtype.str[1:]: code for code, dtype in COMPONENTS.items()}
KINDS = {width: kind for kind, width in WIDTHS.items() if kind != "MAT2"}


class Packing:
    """A growing buffer. What is given twice is stored once."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self._known: dict[tuple, int] = {}

    def add(self, values: np.ndarray, target: int | None = None, *, bounds: bool = False) -> int:
        """The accessor of [N] or [N, width] numbers. bounds: whether the file must tell the least and largest."""
        table = np.ascontiguousarray(values.reshape(len(values), -1))
        key = (sha256(table.tobytes()).digest(), table.dtype.str, table.shape[1], target, bounds)
        if key in self._known:
            return self._known[key]
        row = _in_columns(table.view(np.uint8).reshape(len(table), -1), table.shape[1])
        padded = -(-row.shape[1] // 4) * 4 if target == VERTICES else row.shape[1]
        view = self.add_bytes(np.pad(row, ((0, 0), (0, padded - row.shape[1]))).tobytes(), target)
        if padded > table.dtype.itemsize * table.shape[1]:
            self.views[view]["byteStride"] = padded
        accessor: dict[str, Any] = {
            "bufferView": view,
            "componentType": CODES[table.dtype.str[1:]],
            "count": len(table),
            "type": KINDS[table.shape[1]],
        }
        if bounds:
            accessor |= {"min": table.min(axis=0).tolist(), "max": table.max(axis=0).tolist()}
        self.accessors.append(accessor)
        self._known[key] = len(self.accessors) - 1
        return self._known[key]

    def add_bytes(self, data: bytes, target: int | None = None) -> int:
        """The view of bytes."""
        self.data += b"\0" * (-len(self.data) % 4)
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        self.views.append(view)
        self.data += data
        return len(self.views) - 1


def _in_columns(row: np.ndarray, width: int) -> np.ndarray:
    """[N, bytes] of so many numbers each: columns of a matrix begin at multiples of four (section 3.6.2.4)."""
    if not KINDS[width].startswith("MAT"):
        return row
    columns = row.reshape(len(row), int(KINDS[width][-1]), -1)
    return np.pad(columns, ((0, 0), (0, 0), (0, -columns.shape[-1] % 4))).reshape(len(row), -1)
