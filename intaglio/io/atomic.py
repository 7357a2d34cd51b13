# SPDX-License-Identifier: MIT
"""Output files appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import InputError

__all__ = ["write_atomically"]


def write_atomically(path: str | Path, writer: Callable[[Path], Any]) -> None:
    """Let `writer` write a file beside `path`, with its ending, and give it the name `path` once it is whole.

    Whatever `writer` raises leaves an older file at `path` as it was, and nothing beside it.

    Raises:
        InputError: the folder does not exist or cannot be written to.

    Example:
        >>> write_atomically("numbers.txt", lambda aside: aside.write_text("1 2 3"))
    """
    path = Path(path)
    aside = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        try:
            writer(aside)
            with aside.open("rb+") as file:
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            path, f"cannot be written: {reason}", remedy="choose a folder that exists and is writable"
        ) from error
