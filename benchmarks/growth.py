# SPDX-License-Identifier: MIT
"""Does time grow faster than the number of triangles, or than the number of pixels?"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from . import ours, scenes
from .report import Claim, Section, milliseconds
from .timing import Maker, Timing, in_turns

METHOD = """\
One thread. Icospheres of more and more triangles at 512²; the teapot on more and more pixels. The exponent is p in
time ~ count^p from the row above: 1 is linear, and the start, where the other count dominates, is below it."""


def measure(
    levels: Sequence[int] = (3, 4, 5, 6, 7, 8), sizes: Sequence[int] = (128, 256, 512, 1024, 2048), *, rounds: int = 5
) -> Section:
    """Forward, and forward with backward, over triangles and over pixels."""
    fixed_size = sizes[len(sizes) // 2]
    rows, claims = [], []
    for what, cases in (
        ("triangles", [(20 * 4**level, scenes.icosphere(level), fixed_size) for level in levels]),
        ("pixels", [(size * size, scenes.teapot(), size) for size in sizes]),
    ):
        counts = [count for count, _, _ in cases]
        forward = _timed(counts, [partial(ours.forward, scene, size) for _, scene, size in cases], rounds)
        step = _timed(
            counts,
            [partial(ours.silhouette_step, scene, ours.shifted_silhouette(scene, size)) for _, scene, size in cases],
            rounds,
        )
        forward_growth, step_growth = _exponents(counts, forward), _exponents(counts, step)
        rows += [
            (f"{count:,} {what}", milliseconds(f), f_exponent, milliseconds(s), s_exponent)
            for count, f, f_exponent, s, s_exponent in zip(
                counts, forward, _cells(forward_growth), step, _cells(step_growth), strict=True
            )
        ]
        for name, growth in (("forward", forward_growth), ("forward and backward", step_growth)):
            claims.append(
                Claim(f"{name}: largest exponent over {what}", max(growth), must=1, unit="", smaller_is_better=True)
            )
    header = ("count", "forward, ms", "exponent", "forward and backward, ms", "exponent")
    return Section("Growth", METHOD, header, rows, claims)


def _timed(counts: Sequence[int], makers: Sequence[Maker], rounds: int) -> list[Timing]:
    return list(in_turns(dict(zip(map(str, counts), makers, strict=True)), rounds=rounds).values())


def _exponents(counts: Sequence[int], timings: Sequence[Timing]) -> list[float]:
    growth = [larger.times(smaller) for smaller, larger in pairwise(timings)]
    return list(np.log(growth) / np.diff(np.log(counts)))


def _cells(exponents: Sequence[float]) -> list[str]:
    return ["", *(f"{exponent:.2f}" for exponent in exponents)]


if __name__ == "__main__":
    print(measure().markdown)
