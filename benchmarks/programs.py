# SPDX-License-Identifier: MIT
"""How fast are the four programs of the demo, progress pictures and animations included?"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence

import numpy as np

from .report import Claim, Section, ratio

METHOD = """\
`intaglio demo` as a user starts it, its own closing lines; all cores. Beside them what a log of the original programs
(Neural 3D Mesh Renderer, 2018) shows on a V100 for the same tasks: 256 x 256 pixels, sampled 2 x 2."""

# The first word of a closing line: rate in the log of 2018, how many times that must be reached.
LOG_OF_2018 = {"drawn": (30.0, 8), "shape": (16.7, 5), "texture": (17.6, 5), "camera": (17.4, 5)}

COMMAND = (sys.executable, "-c", "import sys; from intaglio.cli import main; sys.exit(main(sys.argv[1:]))", "demo")
CLOSING_LINE = re.compile(r"^  ((\w+)[^:]*): .* ([\d.]+) (it|frames)/s$", re.MULTILINE)


def measure(options: Sequence[str] = (), *, rounds: int = 3) -> Section:
    """Rates of drawing, and of fitting shape, texture and camera."""
    rates: dict[str, list[float]] = {}
    for _ in range(rounds):
        for program, rate in _closing_rates(options).items():
            rates.setdefault(program, []).append(rate)
    rows, claims = [], []
    for program, of_rounds in rates.items():
        before, must = LOG_OF_2018[re.split(r"\W", program)[0]]
        rate = float(np.median(of_rounds))
        spread = f"{rate:g} ({min(of_rounds):g}-{max(of_rounds):g})"
        rows.append((program, spread, f"{before:g}", ratio(rate / before)))
        claims.append(Claim(f"demo, {program}: rate / log of 2018", rate / before, must))
    header = ("program", "per second (least-most)", "log of 2018, V100", "ratio")
    return Section("The four programs", METHOD, header, rows, claims)


def _closing_rates(options: Sequence[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*COMMAND, "-o", folder, *options], capture_output=True, text=True, check=True)
    return {program: float(rate) for program, _, rate, _ in CLOSING_LINE.findall(done.stdout)}


if __name__ == "__main__":
    print(measure().markdown)
