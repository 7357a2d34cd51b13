# SPDX-License-Identifier: MIT
"""Accessors: numbers out of buffers, whatever their stride, type and gaps. The only place that looks into a buffer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..limits import Limits, read_bytes
from .container import bytes_of_uri, file_of_uri
from .fields import IS_WHOLE, Fields

__all__ = ["COMPONENTS", "WIDTHS", "Buffers", "normalized"]

CODES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
COMPONENTS: dict[int, np.dtype] = {code: np.dtype(name) for code, name in CODES.items()}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
FREE_BYTES = 1 << 26  # that every file may unpack to
MANY = 1 << 53


class Buffers:
    """Buffers, views of them, and accessors, each decoded once."""

    def __init__(self, root: Fields, chunk: bytes | None, size: int, limits: Limits) -> None:
        self.limits = limits
        self.accessors = root.objects("accessors")
        self.views = root.objects("bufferViews")
        self.buffers = root.objects("buffers")
        self.chunk = chunk
        self._bytes: dict[int, memoryview] = {}
        self._decoded: dict[int, np.ndarray] = {}
        self._converted: dict[tuple[int, str], np.ndarray] = {}
        self._largest: dict[int, int] = {}
        self._fetched: dict[str | Path, bytes] = {}
        self._budget = FREE_BYTES + limits.max_ratio * size

    def view(self, index: int) -> memoryview:
        """The bytes of a buffer view."""
        view = self.views[index]
        data = self._buffer(view.whole("buffer", below=len(self.buffers)))
        offset, length = view.whole("byteOffset", below=MANY, default=0), view.whole("byteLength", below=MANY, low=1)
        if offset + length > len(data):
            view.fail(f"ends at byte {offset + length} of a buffer of {len(data)}", remedy=IS_WHOLE)
        return data[offset : offset + length]

    def decode(self, index: int) -> np.ndarray:
        """[N, width], read-only; float32 where normalized or float, else the file's integers.

        Raises:
            InputError: it leads beyond its buffer, holds what is not finite, or is too large.
        """
        if index not in self._decoded:
            values = self._decode(self.accessors[index])
            values.flags.writeable = False
            self._decoded[index] = values
        return self._decoded[index]

    def converted(self, index: int, dtype: str) -> np.ndarray:
        """`decode` in another type, once for all who ask: thousands of things may name one accessor."""
        if (index, dtype) not in self._converted:
            values = self.decode(index).astype(dtype, copy=False)
            values.flags.writeable = False
            self._converted[index, dtype] = values
        return self._converted[index, dtype]

    def largest(self, index: int) -> int:
        """Of the integers of an accessor."""
        if index not in self._largest:
            self._largest[index] = int(self.decode(index).max())
        return self._largest[index]

    def fetch(self, holder: Fields, uri: str) -> bytes:
        """What a URI names; a file counts as one more of the asset's when it is first named, however it is spelled."""
        if uri not in self._fetched:
            if uri[:5].lower() == "data:":
                self._fetched[uri] = bytes_of_uri(holder, uri)
            else:
                file = file_of_uri(holder, uri)
                resolved = file.resolve()
                if resolved not in self._fetched:
                    named = f"which {holder.path.name} names: {holder.at}"
                    self._fetched[resolved] = read_bytes(file, self.limits, named)
                    self._budget += self.limits.max_ratio * len(self._fetched[resolved])
                self._fetched[uri] = self._fetched[resolved]
        return self._fetched[uri]

    def spend(self, holder: Fields, size: int) -> None:
        """Count bytes that are unpacked: many things may look at the same ones, and zeros need none.

        Raises:
            InputError: there are too many for the size of the file.
        """
        self._budget -= size
        if self._budget < 0:
            remedy = f"max_ratio is {self.limits.max_ratio}, beyond the first {FREE_BYTES >> 20} MiB"
            holder.fail("unpacks to too many bytes", remedy=remedy)

    def _buffer(self, index: int) -> memoryview:
        if index not in self._bytes:
            buffer = self.buffers[index]
            length = buffer.whole("byteLength", below=MANY, low=1)
            if "uri" in buffer.raw:
                data = self.fetch(buffer, buffer.text("uri"))
            elif index == 0 and self.chunk is not None:
                data = self.chunk
            else:
                buffer.fail("has neither a uri nor a binary chunk", remedy=IS_WHOLE)
            if len(data) < length:
                buffer.fail(f"declares {length} bytes; got {len(data)}", remedy=IS_WHOLE)
            self._bytes[index] = memoryview(data)[:length]
        return self._bytes[index]

    def _decode(self, accessor: Fields) -> np.ndarray:
        dtype = COMPONENTS[_component(accessor, tuple(COMPONENTS))]
        kind = accessor.choice("type", tuple(WIDTHS))
        if kind is None:
            accessor.fail("has no type")
        width = WIDTHS[kind]
        count = accessor.whole("count", below=MANY, low=1)
        self.spend(accessor, count * width * max(dtype.itemsize, 4))
        if "bufferView" in accessor.raw:
            columns = int(kind[-1]) if kind.startswith("MAT") else 1
            values = self._strided(accessor, "byteOffset", dtype, count, width, columns).copy()
        else:
            values = np.zeros((count, width), dtype)
        sparse = accessor.object("sparse")
        if sparse is not None:
            self._fill_gaps(sparse, values, dtype)
        if dtype.kind == "f" and not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values).all(axis=-1))[0])
            accessor.fail(f"element {row} is not finite: {values[row].tolist()}")
        values = values.astype(dtype.newbyteorder("="))
        return normalized(values) if accessor.flag("normalized") and dtype.kind != "f" else values

    def _strided(
        self, holder: Fields, offset_key: str, dtype: np.dtype, count: int, width: int, columns: int = 1
    ) -> np.ndarray:
        """[count, width] of a buffer view; each column of a matrix begins at a multiple of four bytes."""
        index = holder.whole("bufferView", below=len(self.views))
        data = self.view(index)
        rows = width // columns
        column = -(-rows * dtype.itemsize // 4) * 4 if columns > 1 else rows * dtype.itemsize
        packed = column * (columns - 1) + rows * dtype.itemsize
        stride = self.views[index].whole("byteStride", below=253, low=1, default=column * columns)
        if stride < packed:
            self.views[index].fail(f"byteStride must be at least {packed} here; got {stride}")
        offset = holder.whole(offset_key, below=MANY, default=0)
        end = offset + stride * (count - 1) + packed
        if end > len(data):
            holder.fail(f"its {count} elements end at byte {end} of a view of {len(data)}", remedy=IS_WHOLE)
        strides = (stride, column, dtype.itemsize)
        return np.ndarray((count, columns, rows), dtype, data, offset, strides).reshape(count, width)

    def _fill_gaps(self, sparse: Fields, values: np.ndarray, dtype: np.dtype) -> None:
        count = sparse.whole("count", below=len(values) + 1, low=1)
        places, fillings = sparse.object("indices"), sparse.object("values")
        if places is None or fillings is None:
            sparse.fail("must have indices and values")
        component = COMPONENTS[_component(places, (5121, 5123, 5125))]
        rows = self._strided(places, "byteOffset", component, count, 1)[:, 0].astype(np.int64)
        if (np.diff(rows) <= 0).any() or rows[-1] >= len(values):
            places.fail(f"indices must rise, and stay below {len(values)}")
        values[rows] = self._strided(fillings, "byteOffset", dtype, count, values.shape[1])


def normalized(values: np.ndarray) -> np.ndarray:
    """Integers as floats: the largest becomes 1, and both most negative ones -1 (section 3.6.2.2)."""
    largest = np.iinfo(values.dtype).max
    return np.maximum(values.astype(np.float64) / largest, -1).astype(np.float32)


def _component(holder: Fields, options: tuple[int, ...]) -> Any:
    component = holder.choice("componentType", options)
    if component is None:
        holder.fail("has no componentType")
    return component
