# SPDX-License-Identifier: MIT
"""What does `import intaglio` cost beside `import numpy`?"""

import os
import subprocess
import sys

from .report import Claim, Section, milliseconds, ratio
from .timing import Timing

METHOD = "In turns, each in a fresh interpreter; the import statement alone, of files compiled and in the disk cache."


def measure(rounds: int = 15) -> Section:
    """import numpy, import intaglio."""
    modules = ("numpy", "intaglio")
    for module in modules:
        _import_ms(module)
    rounds_ms: dict[str, list[float]] = {module: [] for module in modules}
    for _ in range(rounds):
        for module in modules:
            rounds_ms[module].append(_import_ms(module))
    numpy, intaglio = (Timing(tuple(rounds_ms[module])) for module in modules)
    cost = intaglio.times(numpy)
    rows = [(milliseconds(numpy), milliseconds(intaglio), ratio(cost))]
    claim = Claim("import intaglio / import numpy", cost, must=1.3, smaller_is_better=True)
    return Section("Import", METHOD, ("numpy, ms", "intaglio, ms", "intaglio / numpy"), rows, [claim])


def _import_ms(module: str) -> float:
    program = f"import time; start = time.perf_counter(); import {module}; print(1e3 * (time.perf_counter() - start))"
    caching = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}  # as it is for users, from the second time on
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=caching)
    return float(done.stdout)


if __name__ == "__main__":
    print(measure().markdown)
