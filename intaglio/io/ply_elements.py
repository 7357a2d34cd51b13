# SPDX-License-Identifier: MIT
"""The elements of a PLY file: columns of numbers and lists, whatever they mean.

Sizes are checked before they are used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .errors import InputError
from .limits import Limits

__all__ = ["Element", "Ragged", "read_elements"]

TYPES = {"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
         "float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2",
         "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8"}  # fmt: skip
ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
MAX_HEADER = 1 << 16
MAX_PROPERTIES = 256
IS_WHOLE = "is it a whole PLY file?"


class Ragged(NamedTuple):
    """Lists of different lengths: counts [N] int64, and all values one after the other."""

    counts: np.ndarray
    values: np.ndarray


class Property(NamedTuple):
    name: str
    value: np.dtype
    length: np.dtype | None  # of a list


@dataclass
class Element:
    """`count` rows; those columns and lists that have been read, by name."""

    name: str
    count: int
    properties: list[Property] = field(default_factory=list)
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    lists: dict[str, Ragged] = field(default_factory=dict)

    @property
    def types(self) -> dict[str, np.dtype]:
        return {p.name: p.value for p in self.properties}


def read_elements(path: Path, data: bytes, limits: Limits) -> tuple[list[str], dict[str, Element]]:
    """The comments of the header, and the elements by name.

    Raises:
        InputError: the header is no PLY header, or the data are shorter or longer than it says.
    """
    order, comments, elements, start = _read_header(path, data)
    for element in elements:
        if element.name == "vertex":
            limits.check_vertices(path, element.count)
    rest = _Words(path, data[start:]) if order == "=" else _Bytes(path, memoryview(data)[start:], order)
    for element in elements:
        if element.properties:
            rest.read(element)
    rest.check_end()
    return comments, {element.name: element for element in elements}


def _read_header(path: Path, data: bytes) -> tuple[str, list[str], list[Element], int]:
    end = data.find(b"\nend_header", 0, MAX_HEADER) + 1  # within a comment it ends nothing
    newline = data.find(b"\n", end)
    if data[:3] != b"ply" or end < 1 or newline < 0:
        raise InputError(path, "is no PLY file: it must begin with 'ply' and a header", remedy=IS_WHOLE)
    order, comments, elements = "", list[str](), list[Element]()
    for number, line in enumerate(data[:end].decode("utf-8", errors="replace").split("\n")[1:-1], start=2):
        words = line.split()
        key = words[0] if words else "comment"
        if key in ("comment", "obj_info"):
            comments.append(line.strip().partition(" ")[2])
        elif key == "format" and len(words) == 3 and words[1] in ORDERS:
            order = ORDERS[words[1]]
        elif key == "element" and len(words) == 3 and words[2].isascii() and words[2].isdigit() and len(words[2]) < 19:
            if any(element.name == words[1] for element in elements):
                raise InputError(path, f"declares {words[1]} twice", line=number)
            elements.append(Element(words[1], int(words[2])))
        elif key == "property" and elements and (found := _property(words)):
            if found.name in elements[-1].types or len(elements[-1].properties) == MAX_PROPERTIES:
                raise InputError(path, f"declares {found.name} twice, or too many properties", line=number)
            elements[-1].properties.append(found)
        else:
            raise InputError(path, f"the header says what no PLY header says: {line.strip()[:80]!r}", line=number)
    if not order:
        raise InputError(path, "the header names no format", remedy=IS_WHOLE)
    return order, comments, elements, newline + 1


def _property(words: list[str]) -> Property | None:
    if len(words) == 3 and words[1] in TYPES:
        return Property(words[2], np.dtype(TYPES[words[1]]), None)
    if len(words) == 5 and words[1] == "list" and words[2] in TYPES and words[3] in TYPES:
        count = np.dtype(TYPES[words[2]])
        return Property(words[4], np.dtype(TYPES[words[3]]), count) if count.kind in "iu" else None
    return None


def _ordered(dtype: np.dtype, order: str) -> np.dtype:
    return np.dtype(order + dtype.str[1:])


def _keep_lists(element: Element, found: dict[str, tuple[list[int], list[np.ndarray]]]) -> None:
    for p in element.properties:
        if p.length is not None:
            counts, values = found[p.name]
            joined = np.concatenate(values) if values else np.zeros(0, p.value)
            element.lists[p.name] = Ragged(np.array(counts, dtype=np.int64), joined)


class _Bytes:
    """Binary rows."""

    def __init__(self, path: Path, data: memoryview, order: str) -> None:
        self.path, self.data, self.order, self.place = path, data, order, 0

    def read(self, element: Element) -> None:
        """Rows of one size at once; where lists differ in length, row by row."""
        smallest = sum((p.length or p.value).itemsize for p in element.properties)
        self._need(element, element.count * smallest)
        if element.count and not self._read_alike(element):
            self._read_rows(element)
        elif not element.count:
            for p in element.properties:
                empty = np.zeros(0, p.value)
                if p.length is None:
                    element.columns[p.name] = empty
                else:
                    element.lists[p.name] = Ragged(np.zeros(0, np.int64), empty)

    def check_end(self) -> None:
        left = len(self.data) - self.place
        if left and bytes(self.data[self.place :][:3]) not in (b"\n", b"\r\n"):  # which some programs end it with
            raise InputError(self.path, f"has {left} bytes more than its header declares", remedy=IS_WHOLE)

    def _need(self, element: Element, size: int) -> None:
        if size > len(self.data) - self.place:
            what = f"ends within {element.name}: its {element.count} rows need at least {size} bytes; "
            raise InputError(self.path, what + f"got {len(self.data) - self.place}", remedy=IS_WHOLE)

    def _read_alike(self, element: Element) -> bool:
        """All rows as the first one is, if that is true of them."""
        lengths, place = {}, self.place
        for p in element.properties:
            if p.length is None:
                place += p.value.itemsize
                continue
            if place + p.length.itemsize > len(self.data):
                return False
            lengths[p.name] = int(np.frombuffer(self.data, _ordered(p.length, self.order), 1, place)[0])
            if lengths[p.name] < 0:
                return False
            place += p.length.itemsize + lengths[p.name] * p.value.itemsize
        if (place - self.place) * element.count > len(self.data) - self.place:
            return False
        fields: list[Any] = []
        for k, p in enumerate(element.properties):
            if p.length is None:
                fields.append((f"v{k}", _ordered(p.value, self.order)))
            else:
                fields.append((f"c{k}", _ordered(p.length, self.order)))
                fields.append((f"v{k}", _ordered(p.value, self.order), (lengths[p.name],)))
        rows = np.frombuffer(self.data, np.dtype(fields), element.count, self.place)
        for k, p in enumerate(element.properties):
            if p.length is not None and (rows[f"c{k}"] != lengths[p.name]).any():
                return False
        for k, p in enumerate(element.properties):
            values = np.ascontiguousarray(rows[f"v{k}"]).astype(p.value)
            if p.length is None:
                element.columns[p.name] = values
            else:
                counts = np.full(element.count, lengths[p.name], dtype=np.int64)
                element.lists[p.name] = Ragged(counts, values.reshape(-1))
        self.place += rows.nbytes
        return True

    def _read_rows(self, element: Element) -> None:
        scalars: dict[str, list] = {p.name: [] for p in element.properties if p.length is None}
        lists: dict[str, tuple[list[int], list[np.ndarray]]]
        lists = {p.name: ([], []) for p in element.properties if p.length is not None}
        swapped = {p.name: (_ordered(p.value, self.order), p.length) for p in element.properties}
        for _ in range(element.count):
            for name, (value, count) in swapped.items():
                if count is None:
                    scalars[name].append(self._take(element, value, 1)[0])
                    continue
                length = int(self._take(element, _ordered(count, self.order), 1)[0])
                if length < 0:
                    raise InputError(self.path, f"{element.name}: {name} has {length} entries")
                lists[name][0].append(length)
                lists[name][1].append(self._take(element, value, length))
        for p in element.properties:
            if p.length is None:
                element.columns[p.name] = np.array(scalars[p.name], dtype=p.value)
        _keep_lists(element, lists)

    def _take(self, element: Element, dtype: np.dtype, count: int) -> np.ndarray:
        size = dtype.itemsize * count
        self._need(element, size)
        values = np.frombuffer(self.data, dtype, count, self.place)
        self.place += size
        return values


class _Words:
    """Rows of text: one line each, as every writer has it."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.words, self.place = path, data.split(), 0

    def read(self, element: Element) -> None:
        self._need(element, element.count * len(element.properties))
        if any(p.length is not None for p in element.properties):
            self._read_rows(element)
            return
        width = len(element.properties)
        table = self._numbers(element, element.count * width).reshape(element.count, width)
        for k, p in enumerate(element.properties):
            element.columns[p.name] = self._typed(element, p, table[:, k])

    def check_end(self) -> None:
        if self.place != len(self.words):
            left = len(self.words) - self.place
            raise InputError(self.path, f"has {left} words more than its header declares", remedy=IS_WHOLE)

    def _read_rows(self, element: Element) -> None:
        scalars: dict[str, list[float]] = {p.name: [] for p in element.properties if p.length is None}
        lists: dict[str, tuple[list[int], list[np.ndarray]]]
        lists = {p.name: ([], []) for p in element.properties if p.length is not None}
        for _ in range(element.count):
            for p in element.properties:
                if p.length is None:
                    scalars[p.name].append(self._numbers(element, 1)[0])
                    continue
                length = self._numbers(element, 1)[0]
                if not 0 <= length <= len(self.words) or length != int(length):
                    raise InputError(self.path, f"{element.name}: {p.name} has {length} entries")
                lists[p.name][0].append(int(length))
                lists[p.name][1].append(self._numbers(element, int(length)))
        for p in element.properties:
            if p.length is None:
                element.columns[p.name] = self._typed(element, p, np.array(scalars[p.name], dtype=np.float64))
        _keep_lists(element, lists)
        for p in element.properties:
            if p.length is not None:
                counts, values = element.lists[p.name]
                element.lists[p.name] = Ragged(counts, self._typed(element, p, values))

    def _numbers(self, element: Element, count: int) -> np.ndarray:
        self._need(element, count)
        words = self.words[self.place : self.place + count]
        self.place += count
        try:
            return np.array([float(word) for word in words], dtype=np.float64)
        except ValueError as error:
            what = f"{element.name} holds what is no number: {b' '.join(words)[:80]!r}"
            raise InputError(self.path, what) from error

    def _typed(self, element: Element, p: Property, values: np.ndarray) -> np.ndarray:
        """In the declared type, if it holds them."""
        if p.value.kind == "f":
            with np.errstate(over="ignore"):
                return values.astype(p.value)
        limits = np.iinfo(p.value)
        if not ((values >= limits.min) & (values <= limits.max) & (values == np.floor(values))).all():
            raise InputError(self.path, f"{element.name}: {p.name} holds what is no {p.value.name}")
        return values.astype(p.value)

    def _need(self, element: Element, count: int) -> None:
        if count > len(self.words) - self.place:
            what = f"ends within {element.name}: its {element.count} rows need at least {count} numbers; "
            raise InputError(self.path, what + f"got {len(self.words) - self.place}", remedy=IS_WHOLE)
