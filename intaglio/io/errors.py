# SPDX-License-Identifier: MIT
"""What is raised when a file cannot be read or written."""

from __future__ import annotations

from pathlib import Path


class InputError(ValueError):
    """A file is missing, damaged or not what it should be. The text names the file, the place in it and the remedy."""

    def __init__(self, path: str | Path, what: str, *, line: int | None = None, at: str = "", remedy: str = "") -> None:
        place = f"{path}:{line}" if line is not None else str(path)
        super().__init__(printable(f"{place}: {at}{': ' if at else ''}{what}{f' ({remedy})' if remedy else ''}"))


def printable(text: str) -> str:
    """What a stranger's file says, without what would move a terminal's cursor or change its colours."""
    return "".join(c if c.isprintable() else "?" for c in text)
