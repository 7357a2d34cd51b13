# SPDX-License-Identifier: MIT
"""Times of several contestants in turns, so that a disturbance of the machine meets all of them.

Every turn is a new process, a fork of one that has only imported things, so that all start from the same heap: what
a process did before decides how the C library's allocator treats large arrays. With a past, deodr took up to twice as
long.
"""

import gc
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import BaseContext

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


def in_turns(makers: Mapping[str, Maker], *, rounds: int = 7, burst_ms: float = 40.0) -> dict[str, Timing]:
    """Timings by name: in every round each contestant has a process and a burst of calls, whose median counts."""
    rounds_ms: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(rounds):
        for name, maker in makers.items():
            with process() as executor:
                rounds_ms[name].append(executor.submit(burst_median_ms, maker, burst_ms).result())
    return {name: Timing(tuple(values)) for name, values in rounds_ms.items()}


def process() -> Executor:
    return ProcessPoolExecutor(1, mp_context=_context())


@cache
def _context() -> BaseContext:
    """New processes are forks of one that has imported what they need, and done nothing with it."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.ours", "benchmarks.peers.imported"])
    return context


def burst_median_ms(maker: Maker, burst_ms: float) -> float:
    """The median call of a burst, after half as long a warm-up, without the garbage collector."""
    call = maker()
    gc.disable()
    try:
        _milliseconds_until(0, call)
        _milliseconds_until(burst_ms / 2, call)
        return float(np.median(_milliseconds_until(burst_ms, call)))
    finally:
        gc.enable()


def _milliseconds_until(total_ms: float, call: Call) -> list[float]:
    """The times of at least one call, as many as it takes to fill `total_ms`."""
    times = []
    end = time.perf_counter() + total_ms / 1e3
    while True:
        start = time.perf_counter()
        call()
        stop = time.perf_counter()
        times.append(1e3 * (stop - start))
        if stop >= end:
            return times
