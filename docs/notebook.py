# SPDX-License-Identifier: MIT
"""Run examples/tour.ipynb and keep what it shows, so that it can be read without being run: `make notebook`."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

TOUR = Path(__file__).parent.parent / "examples" / "tour.ipynb"


def executed() -> nbformat.NotebookNode:
    """The tour with what its cells give now, and nothing that differs from run to run."""
    tour = nbformat.read(TOUR, as_version=4)
    for cell in tour.cells:
        cell.metadata.clear()
    NotebookClient(tour, timeout=60, kernel_name="python3", record_timing=False).execute()
    for output in (output for cell in tour.cells for output in cell.get("outputs", [])):
        if "image/png" in output.get("data", {}):
            output.data.pop("text/plain", None)  # thousands of numbers that nobody reads
    tour.metadata = {"kernelspec": tour.metadata.kernelspec, "language_info": {"name": "python"}}
    return tour


if __name__ == "__main__":
    nbformat.write(executed(), TOUR)
    print(f"{TOUR}: {TOUR.stat().st_size} bytes")
