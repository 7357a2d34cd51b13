# SPDX-License-Identifier: MIT
"""One script per question about speed; `python -m benchmarks` runs them all and writes RESULTS.md."""

import os

# NumPy's BLAS would start a thread per core for a dot product; it reads this when NumPy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
