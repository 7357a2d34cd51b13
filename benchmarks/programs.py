# SPDX-License-Identifier: MIT
"""How fast are the four programs of the demo in each framework, progress pictures and animations included?"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence

import numpy as np

from intaglio.array import frameworks_with_gradients

from .report import Claim, Section, ratio

METHOD = """\
`intaglio demo --framework ...` as a user starts it, its own closing lines; all cores. Beside them what a log of the
original programs (Neural 3D Mesh Renderer, 2018) shows on a V100 for the same tasks: 256 x 256 pixels, sampled 2 x 2.
Ratios are those of the first framework."""

# The first word of a closing line: rate in the log of 2018, how many times that must be reached.
LOG_OF_2018 = {"drawn": (30.0, 8), "shape": (16.7, 5), "texture": (17.6, 5), "camera": (17.4, 5)}

COMMAND = (sys.executable, "-c", "import sys; from intaglio.cli import main; sys.exit(main(sys.argv[1:]))", "demo")
CLOSING_LINE = re.compile(r"^  ((\w+)[^:]*): .* ([\d.]+) (it|frames)/s$", re.MULTILINE)


SAME_CLASS = 0.5  # of the first framework's rate


def measure(
    options: Sequence[str] = (),
    *,
    rounds: int = 3,
    frameworks: Sequence[str] = tuple(frameworks_with_gradients()),
    must: float | None = None,
) -> Section:
    """Rates of drawing, and of fitting shape, texture and camera; `must` stands for what a CPU has to reach."""
    rates: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for framework in frameworks:
            for program, rate in _closing_rates([*options, "--framework", framework]).items():
                rates.setdefault(program, {}).setdefault(framework, []).append(rate)
    rows, claims = [], []
    for program, of_frameworks in rates.items():
        before, must_of_cpu = LOG_OF_2018[re.split(r"\W", program)[0]]
        medians = [float(np.median(of_rounds)) for of_rounds in of_frameworks.values()]
        first, *others = medians
        spreads = [f"{np.median(x):g} ({min(x):g}-{max(x):g})" for x in of_frameworks.values()]
        rows.append((program, *spreads, f"{before:g}", ratio(first / before)))
        claims.append(Claim(f"demo, {program}: rate / log of 2018", first / before, must or must_of_cpu))
        for framework, other in zip(frameworks[1:], others, strict=True):
            what = f"demo, {program}: rate in {framework} / in {frameworks[0]}"
            claims.append(Claim(what, other / first, SAME_CLASS))
    columns = (f"{framework}, per second (least-most)" for framework in frameworks)
    header = ("program", *columns, "log of 2018, V100", "ratio")
    return Section("The four programs", METHOD, header, rows, claims)


def _closing_rates(options: Sequence[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*COMMAND, "-o", folder, *options], capture_output=True, text=True, check=True)
    return {program: float(rate) for program, _, rate, _ in CLOSING_LINE.findall(done.stdout)}


if __name__ == "__main__":
    print(measure().markdown)
