# SPDX-License-Identifier: MIT
"""A bar that shows how fast and how far a program is, and a Ctrl-C that lets it finish what it is at."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any, TypeVar

__all__ = ["Pace", "Stop", "watch"]

Item = TypeVar("Item")


class Stop:
    """Within its `with` block the first Ctrl-C sets `requested`; a second one interrupts as ever."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> Stop:
        # Python tells signals to its main thread only.
        self._is_listening = threading.current_thread() is threading.main_thread()
        if self._is_listening:
            self._before = signal.signal(signal.SIGINT, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_listening:
            signal.signal(signal.SIGINT, self._before)

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\nstopping: what there is will be written (again to stop at once)", file=sys.stderr)


class Pace:
    """Steps per second from the end of the first one on: in the first, frameworks start and JAX compiles."""

    def __init__(self) -> None:
        self._since = time.perf_counter()
        self._num_steps = 0

    def step(self) -> None:
        """One more is done."""
        self._num_steps += 1
        if self._num_steps == 1:
            self._alone, self._since = time.perf_counter() - self._since, time.perf_counter()

    def rate(self) -> float:
        """Up to now. A single step counts as it is, and none as 0."""
        if self._num_steps < 2:
            return self._num_steps / self._alone if self._num_steps else 0.0
        return (self._num_steps - 1) / (time.perf_counter() - self._since)


def watch(
    items: Iterable[Item],
    title: str,
    total: int,
    stop: Stop,
    *,
    first: int = 1,
    unit: str = "it",
    note: Callable[[Item], str] = lambda item: "",
) -> Iterator[Item]:
    """The items, with a bar on a terminal, until they end or a stop is requested.

    Args:
        total: the number of the last item.

    Other arguments:
        first: the number of the first item; 0 where it is the state before the first step.
        note: shown behind the bar, such as the loss.
    """
    with _bar(title, total, unit) as bar:
        for number, item in enumerate(items, start=first):
            yield item
            if bar is not None:
                bar.set_postfix_str(note(item), refresh=False)
                bar.update(number - bar.n)
            if stop.requested:
                return


def _bar(title: str, total: int, unit: str) -> contextlib.AbstractContextManager[Any]:
    try:
        from tqdm import tqdm
    except ImportError:  # comes with intaglio[torch]; pictures are drawn without either
        return contextlib.nullcontext()
    # 80 and 24 where a terminal does not know; tqdm would draw nothing there.
    columns, rows = shutil.get_terminal_size()
    return tqdm(total=total, desc=title, unit=unit, disable=None, ncols=columns, nrows=rows)
