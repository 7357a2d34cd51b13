# SPDX-License-Identifier: MIT
"""Times of several contestants, taken in turns so that a disturbance of the machine meets all of them."""

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


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


def in_turns(
    contestants: Mapping[str, Callable[[], object]], *, rounds: int = 11, burst_ms: float = 40.0
) -> dict[str, Timing]:
    """Timings by name: every round gives each contestant a burst of calls and keeps the burst's median.

    Each burst opens with two untimed calls, because the contestant before it has emptied the caches (and may have
    changed the number of threads). The garbage collector rests during a burst.
    """
    calls_per_burst = {name: _calls_that_fill(burst_ms, call) for name, call in contestants.items()}
    rounds_ms: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, call in contestants.items():
            rounds_ms[name].append(_burst_median_ms(call, calls_per_burst[name]))
    return {name: Timing(tuple(values)) for name, values in rounds_ms.items()}


def _calls_that_fill(burst_ms: float, call: Callable[[], object]) -> int:
    call()
    return int(np.clip(burst_ms / max(_burst_median_ms(call, 1), 1e-6), 1, 1000))


def _burst_median_ms(call: Callable[[], object], calls: int) -> float:
    for _ in range(2 if calls > 1 else 0):
        call()
    seconds = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(calls):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
    finally:
        gc.enable()
    return 1e3 * float(np.median(seconds))
