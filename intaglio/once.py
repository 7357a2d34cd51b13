# SPDX-License-Identifier: MIT
"""What never changes, made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import TypeVar

__all__ = ["once"]

Made = TypeVar("Made")


def once(make: Callable[[], Made]) -> Callable[[], Made]:
    """Decorates what makes it. torch.compile takes what was made, and does not trace how."""
    kept = cache(make)

    @wraps(make)
    def found() -> Made:
        return kept()

    found._dynamo_marked_constant = True  # type: ignore[attr-defined]  # as torch.compiler.assume_constant_result does
    return found
