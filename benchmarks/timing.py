# SPDX-License-Identifier: MIT
"""Times of several contestants, each alone in a process as its users would run it, taken in turns.

Alone, because an allocator that another library has warmed changes a time by half; in turns, so that a disturbance of
the machine meets all of them.
"""

import gc
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context

import numpy as np

Call = Callable[[], object]
Maker = Callable[[], Call]  # makes the call that is timed; picklable, such as functools.partial(function, array)


@dataclass(frozen=True)
class Timing:
    """Milliseconds per call, one value per round."""

    rounds_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        return float(np.median(self.rounds_ms))

    @property
    def quartiles_ms(self) -> tuple[float, float]:
        low, high = np.percentile(self.rounds_ms, [25, 75])
        return float(low), float(high)

    def times(self, other: "Timing") -> float:
        """How many times as long as `other` this took: the median over rounds of the round's own ratio."""
        return float(np.median(np.divide(self.rounds_ms, other.rounds_ms)))


def in_turns(makers: Mapping[str, Maker], *, rounds: int = 11, burst_ms: float = 40.0) -> dict[str, Timing]:
    """Timings by name: every round gives each contestant a burst of calls and keeps the burst's median."""
    for name, maker in makers.items():
        process(name).submit(_make_ready, name, maker, burst_ms).result()
    rounds_ms: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(rounds):
        for name in makers:
            rounds_ms[name].append(process(name).submit(_burst_median_ms, name).result())
    return {name: Timing(tuple(values)) for name, values in rounds_ms.items()}


@cache
def process(name: str) -> Executor:
    """The contestant's own process, kept from one size to the next."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


# What lives in a contestant's process: its call, and how many of them make a burst.
_ready: dict[str, tuple[Call, int]] = {}


def _make_ready(name: str, maker: Maker, burst_ms: float) -> None:
    _ready.pop(name, None)
    call = maker()
    call()
    _ready[name] = call, 1
    _ready[name] = call, int(np.clip(burst_ms / max(_burst_median_ms(name), 1e-6), 1, 1000))


def _burst_median_ms(name: str) -> float:
    """The garbage collector rests; where calls are short, two go untimed: the contestant before emptied the caches."""
    call, count = _ready[name]
    for _ in range(2 if count > 1 else 0):
        call()
    seconds = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(count):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
    finally:
        gc.enable()
    return 1e3 * float(np.median(seconds))
