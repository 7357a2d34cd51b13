# SPDX-License-Identifier: MIT
"""JSON of a stranger, asked field by field: each answer has the wanted type and range, or is an InputError."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeGuard

import numpy as np

from ..errors import InputError

__all__ = ["IS_WHOLE", "Fields", "parse_json"]

MAX_DEPTH = 64
STEPS = bytes.maketrans(b"{[}]", b"\x01\x01\xff\xff")
NO_MARKS = bytes(set(range(256)) - set(b"{[}]"))
HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # of a character beyond 16 bits: alone it is none, and cannot be written
IS_WHOLE = "is it a whole glTF file?"


def parse_json(path: Path, data: bytes, *, remedy: str = IS_WHOLE) -> Fields:
    """The object that JSON of bounded depth holds. remedy: what errors ask.

    Raises:
        InputError: it is damaged, too deep, or no object.
    """
    if _depth(data) > MAX_DEPTH:
        raise InputError(path, f"its JSON is nested deeper than {MAX_DEPTH} levels")
    try:
        found = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
        if HALF.search(data):
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"its JSON is damaged: {error}", remedy=remedy) from error
    if not isinstance(found, dict):
        raise InputError(path, "its JSON is no object", remedy=remedy)
    return Fields(path, "", found)


def _depth(data: bytes) -> int:
    """How deep lists and objects stand in each other."""
    plain = data.replace(rb"\\", b"").replace(rb"\"", b"")  # without what a backslash keeps from ending a text
    marks = b"".join(plain.split(b'"')[::2]).translate(STEPS, NO_MARKS)
    return int(np.cumsum(np.frombuffer(marks, dtype=np.int8), dtype=np.int64).max(initial=0))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


@dataclass(frozen=True)
class Fields:
    """An object, and where it stands."""

    path: Path
    at: str
    raw: dict[str, Any]

    def fail(self, what: str, *, remedy: str = "") -> NoReturn:
        """Raise InputError about this object."""
        raise InputError(self.path, what, at=self.at, remedy=remedy)

    def object(self, key: str) -> Fields | None:
        """The object of that name, if there is one."""
        value = self.raw.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.fail(f"{key} must be an object; got {_short(value)}")
        return Fields(self.path, f"{self.at}.{key}" if self.at else key, value)

    def objects(self, key: str) -> list[Fields]:
        """The objects of a list; none where it is absent."""
        values = self._list(key)
        place = f"{self.at}.{key}" if self.at else key
        for k, value in enumerate(values):
            if not isinstance(value, dict):
                self.fail(f"{key}[{k}] must be an object; got {_short(value)}")
        return [Fields(self.path, f"{place}[{k}]", value) for k, value in enumerate(values)]

    def whole(self, key: str, *, below: int, default: int | None = None, low: int = 0) -> int:
        """A whole number from `low`, less than `below`."""
        value = self.raw.get(key, default)
        if not _is_whole(value) or not low <= value < below:
            wanted = f"a whole number from {low} to {below - 1}" if below > low else "left out, for there is none"
            self.fail(f"{key} must be {wanted}; got {_short(value)}")
        return value

    def place(self, key: str, count: int) -> int | None:
        """A place in a list of `count` things, if given."""
        return self.whole(key, below=count) if key in self.raw else None

    def places(self, key: str, count: int) -> tuple[int, ...]:
        """Places in a list of `count` things, each once."""
        values = self._list(key)
        for value in values:
            if not _is_whole(value) or not 0 <= value < count:
                self.fail(f"{key} must hold whole numbers from 0 to {count - 1}; got {_short(value)}")
        if len(set(values)) != len(values):
            self.fail(f"{key} names one thing twice")
        return tuple(values)

    def number(self, key: str, default: float | None = None, low: float = -math.inf, high: float = math.inf) -> float:
        """A finite number from `low` to `high`."""
        return self._number(key, self.raw.get(key, default), low, high)

    def numbers(
        self, key: str, count: int | None, default: Sequence[float] = (), low: float = -math.inf, high: float = math.inf
    ) -> tuple[float, ...]:
        """So many finite numbers from `low` to `high`; None for any count."""
        if key not in self.raw:
            return tuple(default)
        values = self._list(key)
        if count is not None and len(values) != count:
            self.fail(f"{key} must hold {count} numbers; got {len(values)}")
        return tuple(self._number(key, value, low, high) for value in values)

    def text(self, key: str, default: str = "") -> str:
        """A string."""
        value = self.raw.get(key, default)
        if not isinstance(value, str):
            self.fail(f"{key} must be text; got {_short(value)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Strings."""
        values = self._list(key)
        if not all(isinstance(value, str) for value in values):
            self.fail(f"{key} must hold text; got {_short(values)}")
        return tuple(values)

    def flag(self, key: str) -> bool:
        """true or false; false where absent."""
        value = self.raw.get(key, False)
        if not isinstance(value, bool):
            self.fail(f"{key} must be true or false; got {_short(value)}")
        return value

    def choice(self, key: str, options: Sequence[Any], default: Any = None) -> Any:
        """One of the options; None only where that is the default and the key is absent."""
        if key not in self.raw:
            return default
        value = self.raw[key]
        if isinstance(value, bool) or value not in options:
            self.fail(f"{key} must be one of {', '.join(map(str, options))}; got {_short(value)}")
        return value

    def _list(self, key: str) -> list[Any]:
        value = self.raw.get(key, [])
        if not isinstance(value, list):
            self.fail(f"{key} must be a list; got {_short(value)}")
        return value

    def _number(self, key: str, value: Any, low: float, high: float) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        try:
            number = float(value) if is_number else math.nan
        except OverflowError:
            number = math.inf
        if not math.isfinite(number) or not low <= number <= high:
            span = "" if (low, high) == (-math.inf, math.inf) else f" from {low:g} to {high:g}"
            self.fail(f"{key} must be a finite number{span}; got {_short(value)}")
        return number


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number of too many digits"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
